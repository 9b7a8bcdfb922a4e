"""Reads what /metrics has said from standard input, by the parser of prometheus_client.

usage: metrics.py openmetrics|prometheus [NAME{LABEL="VALUE"} ...]

Fails when it cannot be read, when a family has no help, when two samples are the same, or when one of the
samples that are named is not there. Prints how many samples there are.
"""

import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics


def main(form, *wanted):
    text = sys.stdin.read()
    read = openmetrics if form == "openmetrics" else parser
    families = list(read.text_string_to_metric_families(text))
    seen = set()
    for family in families:
        assert family.documentation, f"{family.name} has no help"
        assert family.type != "unknown" and family.type != "untyped", f"{family.name} has no type"
        assert family.samples or family.name.startswith("ferrite_http_re"), f"{family.name} has no sample"
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            name = sample.name + (f"{{{labels}}}" if labels else "")
            assert name not in seen, f"{name} is there twice"
            seen.add(name)
    missing = [name for name in wanted if name not in seen]
    assert not missing, f"missing: {missing}"
    print(f"{len(seen)} samples")


main(*sys.argv[1:])
