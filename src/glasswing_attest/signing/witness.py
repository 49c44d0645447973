"""Who saw the signature, and when?

Transparency logs and clocks over a finished signature, chosen as a SigningConfig says (sigstore/protobuf-specs,
sigstore_trustroot.proto): of each operator the service with the highest version that is spoken here and that is to be
used now; of the operators any one, all, or exactly so many, in the order of preference. Where the trust asks for more
witnesses than the configuration does, more are asked: a signature without them would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from glasswing_attest._wire import format_time
from glasswing_attest.bundle import Bundle, LogEntry
from glasswing_attest.errors import GlasswingError, ServiceUnavailable, UsageError, WitnessMissing, counted
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.services.http import Http
from glasswing_attest.signing.services.rekor import log_v1, log_v2
from glasswing_attest.signing.services.tsa import stamp
from glasswing_attest.trust.signing_config import Selection, Service, SigningConfig
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification.clock import check_stamp
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["SAME_INSTANCE", "Witnesses", "usable"]

_T = TypeVar("_T")

_LOGS = frozenset({1, 2})
_CLOCKS = frozenset({1})

SAME_INSTANCE = "use the trusted root and the signing config of one instance, as they are now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """The logs and clocks that witness signatures: of each kind so many, the first ones that answer.

    What they give must be of a log or clock of the `root`: whatever nobody believes has no place in a bundle.
    """

    http: Http
    logs: tuple[Service, ...]
    log_count: int
    clocks: tuple[Service, ...]
    clock_count: int
    root: Root
    limits: Limits = DEFAULT

    def __repr__(self) -> str:
        return f"Witnesses({counted(self.log_count, 'log')}, {counted(self.clock_count, 'clock')})"

    @classmethod
    def chosen(
        cls,
        config: SigningConfig,
        root: Root,
        *,
        now: datetime,
        logs: int = 0,
        times: int = 0,
        stamps: int = 0,
        http: Http | None = None,
        limits: Limits = DEFAULT,
    ) -> Witnesses:
        """Choose by the configuration, and so many that the trust is content.

        Args:
            config: the services.
            root: the trusted root under which it must verify.
            now: when it is.
            logs: how many logs of distinct operators the trust asks for.
            times: how many times of distinct witnesses; a log of version 1 gives one as well.
            stamps: how many of them must be clocks'.
            http: how they are asked.
            limits: the bounds on what they answer.

        Raises:
            WitnessMissing: the configuration names too few that are to be used now.
        """
        found_logs = usable(config.logs, _LOGS, now)
        found_clocks = usable(config.clocks, _CLOCKS, now)
        log_count = max(logs, _count(config.log_selection, found_logs))
        _require("rekorTlogUrls", found_logs, log_count, "transparency log")
        telling = {each.operator or each.url for each in found_logs[:log_count] if each.version == 1}
        clock_count = max(stamps, _count(config.clock_selection, found_clocks))
        while clock_count < len(found_clocks) and len(telling | _operators(found_clocks[:clock_count])) < times:
            clock_count += 1
        if len(telling | _operators(found_clocks[:clock_count])) < times:
            clock_count = max(clock_count, times)
        _require("tsaUrls", found_clocks, clock_count, "clock")
        return cls(
            http=http or Http(limits=limits),
            logs=found_logs,
            log_count=log_count,
            clocks=found_clocks,
            clock_count=clock_count,
            root=root,
            limits=limits,
        )

    def over(self, signed: SignedPayload) -> Bundle:
        """Have a signature witnessed, and give its bundle with the entries and stamps.

        Raises:
            ServiceUnavailable: too few of them answer.
            WitnessMissing: one is none of the root's, or stamps another time than that of the certificate.
            ServiceRefused, KeyUnsupported: as the services' functions do.
        """
        if signed.bundle is None:
            raise UsageError(where="signed", found="a bare envelope", wanted="a bundle")
        # Stamps first: a log is asked for what lasts, and only once everything else is at hand.
        stamps = _as_many(self.clocks, self.clock_count, lambda each: self._stamped(each, signed))
        entries = _as_many(self.logs, self.log_count, lambda each: self._logged(each, signed))
        return replace(
            signed.bundle,
            version="0.3",
            log_entries=(*signed.bundle.log_entries, *entries),
            timestamps=(*signed.bundle.timestamps, *stamps),
        )

    def _stamped(self, clock: Service, signed: SignedPayload) -> bytes:
        made = stamp(self.http, clock.url, signed.signature)
        try:
            time, _ = check_stamp(made, signed.signature, self.root.clocks)
        except GlasswingError as e:
            because, wanted = e.because or e.says, f"a stamp by a clock of root {self.root.name}"
            raise WitnessMissing(
                where=clock.url, because=because, found=e.found, wanted=wanted, do=SAME_INSTANCE
            ) from e
        if signed.leaf is not None:
            certificate = signed.leaf.certificate
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if not start <= time <= end:
                wanted = f"while the certificate is valid: {format_time(start)} to {format_time(end)}"
                raise WitnessMissing(where=clock.url, found=format_time(time), wanted=wanted)
        return made

    def _logged(self, log: Service, signed: SignedPayload) -> LogEntry:
        if log.version == 1:
            entry = log_v1(self.http, log.url, signed, limits=self.limits)
        else:
            entry = log_v2(self.http, log.url, signed, logs=self.root.logs, limits=self.limits)
        if entry.log_id not in {each.log_id for each in self.root.logs}:
            found, wanted = f"log {entry.log_id.hex()[:16]}", f"a log of root {self.root.name}"
            raise WitnessMissing(where=log.url, found=found, wanted=wanted, do=SAME_INSTANCE)
        return entry


def usable(services: Sequence[Service], versions: Collection[int], now: datetime) -> tuple[Service, ...]:
    """Give of each operator the one service to be used now: of the highest version, and then the newest."""
    best: dict[str, Service] = {}
    for each in services:
        if each.version not in versions or not each.window.contains(now):
            continue
        operator = each.operator or each.url
        known = best.get(operator)
        if known is None or (each.version, each.window.start) > (known.version, known.window.start):
            best[operator] = each
    return tuple(best.values())


def _operators(services: Sequence[Service]) -> set[str]:
    return {each.operator or each.url for each in services}


def _count(selection: Selection, found: Sequence[Service]) -> int:
    if selection.selector == "all":
        return len(found)
    return selection.count if selection.selector == "exact" else min(1, len(found))


def _require(where: str, found: Sequence[Service], wanted: int, noun: str) -> None:
    if len(found) < wanted:
        raise WitnessMissing(
            where=f"signing config: {where}",
            found=f"{counted(len(found), noun)} to be used now",
            wanted=f"{wanted}, of distinct operators",
            do="use the signing config that belongs to the trusted root, or ask for less in its profile",
        )


def _as_many(services: Sequence[Service], count: int, ask: Callable[[Service], _T]) -> list[_T]:
    """Ask one after the other until there are so many answers. Who does not answer is passed over, if others do."""
    answers: list[_T] = []
    silent: ServiceUnavailable | None = None
    for service in services:
        if len(answers) == count:
            break
        try:
            answers.append(ask(service))
        except ServiceUnavailable as e:
            silent = silent or e
    if len(answers) < count:
        raise silent or WitnessMissing(found=len(answers), wanted=count)
    return answers
