"""The log of a training: loss terms, log.csv, the progress bar and DVCLive's plots."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from tinygan.files import atomic_file
from tinygan.training.losses import TERMS

COLUMNS = ("step", *(f"loss_{term}" for term in TERMS), "pixel_weight", "learning_rate")


class TrainingLog:
    """The rows of log.csv, and the loss terms since the last row, which stay on their device.

    A row depends on the config and the data only and has no times, so the log of a resumed run is
    byte-identical to that of an uninterrupted one.

    Attributes:
        rows: the rows so far, one string per entry of `COLUMNS`.
    """

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self._since: dict[str, dict[int, Tensor]] = {term: {} for term in TERMS}

    def note(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Record the terms of one step, scalars, without waiting for the device."""
        for term, value in terms.items():
            self._since[term][step] = value.detach()

    def check(self) -> None:
        """Check that all loss terms since the last row are finite.

        Raises:
            FloatingPointError: one is not; the message has its term and first step.
        """
        for term, values in self._since.items():
            if values and not (finite := torch.stack(list(values.values())).isfinite()).all():
                step, value = list(values.items())[int(finite.int().argmin())]
                raise FloatingPointError(
                    f"loss {term} is {float(value)} at step {step}: lower train.learning_rate"
                )

    def close_row(self, step: int, pixel_weight: float, learning_rate: float) -> None:
        """Add a row with the means of the terms since the last row; empty for unused terms.

        Args:
            step: the last step of the row.
            pixel_weight: lambda_1 at this step.
            learning_rate: the learning rate at this step.

        Raises:
            FloatingPointError: see `check`.
        """
        self.check()
        means = {
            term: f"{float(torch.stack(list(values.values())).mean()):.6g}" if values else ""
            for term, values in self._since.items()
        }
        self.rows.append(
            [str(step), *means.values(), f"{pixel_weight:.6g}", f"{learning_rate:.6g}"]
        )
        self._since = {term: {} for term in TERMS}

    def last_means(self) -> dict[str, str]:
        """Return the means in the last row, without unused terms."""
        means = zip(TERMS, self.rows[-1][1:], strict=False)
        return {term: mean for term, mean in means if mean}

    def write(self, path: Path) -> None:
        """Write the rows as CSV, atomically."""
        with atomic_file(path) as partial, open(partial, "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *self.rows])

    def pack(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the log for a checkpoint: tensors named ``log/...``, and a JSON mapping."""
        used = {term: values for term, values in self._since.items() if values}
        tensors = {f"log/since/{term}": torch.stack(list(v.values())) for term, v in used.items()}
        return tensors, {"rows": self.rows, "since": {t: list(v) for t, v in used.items()}}

    def unpack(self, tensors: Mapping[str, Tensor], saved: Mapping[str, Any]) -> None:
        """Restore what `pack` returned; `tensors` may contain others."""
        self.rows = saved["rows"]
        for term, steps in saved["since"].items():
            values = tensors[f"log/since/{term}"]
            self._since[term] = dict(zip(steps, values.unbind(), strict=True))


class LiveLog:
    """The log as DVCLive plots, which `dvc plots show FOLDER` or an editor displays.

    Args:
        folder: the folder to write; its content is replaced, and a resumed run writes all rows.
    """

    def __init__(self, folder: Path) -> None:
        from dvclive import Live

        self._live = Live(str(folder), save_dvc_exp=False, dvcyaml=None)
        self._shown = 0

    def show(self, log: TrainingLog, images_per_second: float) -> None:
        """Add the rows since the last call, and the current speed."""
        for row in log.rows[self._shown :]:
            self._live.step = int(row[0])
            for name, value in zip(COLUMNS[1:], row[1:], strict=True):
                if value:
                    self._live.log_metric(name, float(value))
            self._live.sync()
        self._live.log_metric("images_per_second", images_per_second)
        self._live.sync()
        self._shown = len(log.rows)


class Display:
    """The progress of a run: a progress bar and, optionally, DVCLive plots.

    Args:
        name: the title of the bar.
        steps: the remaining steps, ascending.
        batch: images per step.
        live: folder of the DVCLive plots; None for none.
        visible: whether anything is shown; only rank 0 of a run shows it.
    """

    def __init__(
        self, name: str, steps: range, batch: int, *, live: Path | None, visible: bool
    ) -> None:
        done = steps.start - 1
        options = {"unit": "step", "mininterval": 2, "initial": done, "total": steps.stop - 1}
        self._bar = tqdm(desc=name, disable=not visible, **options)
        self._live = LiveLog(live) if live and visible else None
        self._batch, self._shown = batch, (done, time.monotonic())

    def update(self) -> None:
        """Advance the bar by one step."""
        self._bar.update()

    def show(self, log: TrainingLog, step: int) -> None:
        """Show the last row of the log, and the images per second since the previous call."""
        (last_step, last_time), now = self._shown, time.monotonic()
        images_per_second = (step - last_step) * self._batch / (now - last_time)
        self._shown = step, now
        self._bar.set_postfix(log.last_means() | {"img/s": round(images_per_second)})
        if self._live:
            self._live.show(log, images_per_second)

    def close(self) -> None:
        """Close the progress bar, which stays visible."""
        self._bar.close()
