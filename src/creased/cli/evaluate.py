"""`creased eval RUN`: metrics of a checkpoint against its shape or another, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from creased.evaluation.checkpoint import evaluate_checkpoint
from creased.evaluation.table import format_metrics
from creased.io.atomic_write import write_whole
from creased.io.runs import checkpoint_of

SCREEN = Path("-")


def evaluate(chosen: argparse.Namespace) -> None:
    """Print the table of metrics, or write them as JSON, or both."""
    from rich.console import Console

    metrics = evaluate_checkpoint(checkpoint_of(chosen.file), chosen.shape, is_to_certify=chosen.certify)
    text = json.dumps(metrics, indent=2)
    if chosen.json == SCREEN:
        print(text)
        return
    Console().print(format_metrics(metrics))
    if chosen.json is not None:
        write_whole(chosen.json, text.encode())
        print(f"{chosen.json}: all metrics")
