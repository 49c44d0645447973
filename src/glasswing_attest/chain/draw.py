"""What does the chain look like: one consistent selection, or what is missing of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from glasswing_attest._wire import format_time
from glasswing_attest.chain.explain import too_late
from glasswing_attest.chain.graph import Edge, Evidence, Graph, Node, State
from glasswing_attest.chain.thing import Basis, Candidate, Thing
from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding
from glasswing_attest.limits import Budget
from glasswing_attest.statement.predicates.run import Run

__all__ = ["Drawing"]


class Drawing:
    """Collects nodes and edges, each once. Every edge of what is no run is a step: a link has as many as it likes."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str, str], Edge] = {}
        self._runs: set[str] = set()

    def thing(self, thing: Thing, findings: tuple[Finding, ...], shown: Sequence[Candidate]) -> None:
        """Add a thing, with what it rests on or came closest to resting on, and the edges that lead there.

        Raises:
            LimitError: there are more edges than the budget has steps.
        """
        identity = thing.identity
        own = [c for c in shown if not isinstance(c.claim.predicate, Run)]
        self._add(
            Node(
                identity=identity,
                kind=thing.reference.kind,
                name=thing.name,
                digests=tuple(map(str, thing.reference.digests)),
                state=thing.state,
                evidence=tuple(_evidence(c) for c in own),
                findings=findings,
            )
        )
        for candidate in shown:
            # What is shown satisfies its requirement by itself: a run stands as soon as its inputs do, and its builder
            # by its signer's word, also where what the run made lacks something else.
            basis, run = candidate.basis, candidate.claim.predicate
            made_by = identity
            if isinstance(run, Run):
                made_by = self._run(identity, candidate, run, State.VERIFIED if basis.broken is None else State.FAILED)
            else:
                self._budget.spend(len(basis.parents), where=identity)
            if made_by not in self._runs:
                for parent in basis.parents:
                    self._edge(made_by, basis, parent)
            if isinstance(run, Run):
                self._runs.add(made_by)  # whatever it made, and whoever signed it: it was made from the same
                self._builder(made_by, candidate.claim, run)

    def _run(self, child: str, candidate: Candidate, run: Run, state: State) -> str:
        """A run node is one verified payload, with everybody who signed it."""
        identity = f"run {candidate.claim.key[0]}"
        name = run.invocation_id or run.build_type or run.builder_id
        evidence = (_evidence(candidate),)
        self._add(Node(identity=identity, kind="run", name=name, digests=(), state=state, evidence=evidence))
        self._join(Edge(child=child, parent=identity, role="run", state=self._nodes[identity].state))
        return identity

    def _edge(self, made_by: str, basis: Basis, parent: Thing) -> None:
        """An edge holds where the parent does, and was attested before the run started."""
        role, late = parent.reference.kind, parent.accepted is not None and not _rests(basis, parent)
        self._join(
            Edge(
                child=made_by,
                parent=parent.identity,
                role=role,
                state=State.FAILED if late else parent.state,
                findings=(too_late(parent, basis),) if late else (),
            )
        )

    def _join(self, edge: Edge) -> None:
        """Add an edge. One that is there already holds if it does anywhere."""
        key = (edge.child, edge.parent, edge.role)
        known = self._edges.get(key)
        if known is None or known.state is not State.VERIFIED:
            self._edges[key] = edge

    def _builder(self, run_identity: str, claim: Claim, run: Run) -> None:
        """A builder stands behind its run as the run's signer's word."""
        identity = f"builder {run.builder_id} {claim.signer.principal}"
        if identity not in self._nodes:
            name = f"{run.builder_id} (signed by {claim.signer.label})"
            self._add(Node(identity=identity, kind="builder", name=name, digests=(), state=State.VERIFIED))
        self._join(Edge(child=run_identity, parent=identity, role="builder"))

    def _add(self, node: Node) -> None:
        """Add a node. One that is there already stands if it does anywhere, and rests on all of its evidence."""
        known = self._nodes.get(node.identity)
        if known is not None:
            state = State.VERIFIED if State.VERIFIED in (known.state, node.state) else node.state
            evidence = tuple(dict.fromkeys((*known.evidence, *node.evidence)))
            node = replace(node, state=state, evidence=evidence)
        self._nodes[node.identity] = node

    def graph(self, root: Thing) -> Graph:
        """Give all that was added."""
        return Graph(root=root.identity, nodes=tuple(self._nodes.values()), edges=tuple(self._edges.values()))


def _rests(basis: Basis, parent: Thing) -> bool:
    return basis.broken is None or basis.rests_on(parent)


def _evidence(candidate: Candidate) -> Evidence:
    claim = candidate.claim
    return Evidence(
        payload_sha256=claim.key[0],
        predicate_type=claim.statement.predicate_type,
        label=claim.statement.subjects[0].label,
        principal=claim.signer.principal,
        names=tuple(sorted(claim.signer.names)) or (claim.signer.label,),
        signed_by="" if claim.signed_by is None else format_time(claim.signed_by),
        requirement=candidate.label,
    )
