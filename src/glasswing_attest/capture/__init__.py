"""WHAT WENT IN, AND WHEN? Records a build or a training run, which becomes SLSA provenance v1."""

from glasswing_attest.capture.build import Build, Recorded
from glasswing_attest.capture.ci import Platform
from glasswing_attest.capture.host import Host
from glasswing_attest.capture.image import ImageReference

__all__ = ["Build", "Host", "ImageReference", "Platform", "Recorded"]
