"""How much to augment, and whether to search: small trainings in memory, minutes each.

    python -m benchmarks.amount run --data data/cifar10 --images 1000 --fraction adaptive --seed 0
    python -m benchmarks.amount table

The augmenter, the search, the objective and the amount are the project's own; what is around them
is the least that a training needs, so that one core does dozens of runs in an hour: small networks
of four convolutions, images in memory, flips and shifts as usual augmentation, KD at temperature 4.
``--data`` is a folder with ``train/<class>/*`` and ``test/<class>/*`` of equally large pictures, or
one of idx files. The teacher is trained once a data set, on all of its training images, and kept in
``--work-dir``. One half of the test images chooses defaults (``validation``), the other half
reports (``test``); seeds below 100 report, from 100 on they choose. A run that is on file is not
repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scipy import stats
from torch import Tensor, nn

from tst_mm.augment import LearnedAugmenter, Normalization
from tst_mm.experiments import markdown_table
from tst_mm.registry import MODELS
from tst_mm.search import AdaptiveAmount, Losses, MeasuringSearch
from tst_mm.utils.git import git_state

from .small_trainings import forward, imitation, load_images, network

ROOT = Path(__file__).resolve().parents[1]
PATH = Path(__file__).with_name('amount.jsonl')
BATCH, LOOKS, RELEASE = 64, 100, 0.6


def main(argv: list[str] | None = None) -> None:
    """Train and write a line, or print the table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.amount',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='one training')
    run.add_argument('--data', type=Path, required=True, help='folder of the images')
    run.add_argument('--images', type=int, required=True, help='training images of the student')
    run.add_argument('--steps', type=int, default=1500, help='of 64 images (default: 1500)')
    run.add_argument('--fraction', default='adaptive', help="'adaptive' or 0 to 1")
    run.add_argument('--target', type=float, default=0.2, help='of the adaptive amount')
    run.add_argument('--stages', type=int, default=0, help='of the search (default: none)')
    run.add_argument('--temperature', type=float, default=1.0, help='of the search')
    run.add_argument('--objective', default='tst_mm.TeachingObjective')
    run.add_argument('--trust', action='store_true', help='labels by trust')
    run.add_argument('--label-weight', type=float, default=1.0)
    run.add_argument('--seed', type=int, default=0)
    run.add_argument('--work-dir', type=Path, default=Path('work_dirs/amount'))
    for command in (run, commands.add_parser('table', help='of all runs')):
        command.add_argument('--out', type=Path, default=PATH, help='file of the runs')
    args = parser.parse_args(argv)
    lines = args.out.read_text().splitlines() if args.out.exists() else []
    runs = [json.loads(line) for line in lines]
    if args.command == 'table':
        print(table(runs))
        return
    settings = {
        key: value for key, value in vars(args).items() if key not in ('command', 'work_dir', 'out')
    }
    settings['data'] = args.data.name
    if any(all(line[key] == value for key, value in settings.items()) for line in runs):
        print('this run is on file')
        return
    result = {**settings, **Training(args).run(), 'commit': git_state(ROOT)}
    with args.out.open('a') as file:
        file.write(json.dumps(result) + '\n')
    print(json.dumps(result))


class Training:
    """One student, from its seed to its accuracies; what :class:`MeasuringSearch` calls a model."""

    def __init__(self, args: argparse.Namespace) -> None:
        torch.set_num_threads(1)
        self.args = args
        images, labels = load_images(args.data, 'train', args.work_dir)
        test_images, test_labels = load_images(args.data, 'test', args.work_dir)
        order = np.random.default_rng(0).permutation(len(test_labels))
        self.test = [test_images[order], test_labels[order]]
        # Of a sample: only the scale matters.
        sample = images[:: max(1, len(images) // 2000)].float()
        mean, std = sample.mean((0, 2, 3)), sample.std((0, 2, 3))
        self.normalization = Normalization(mean.tolist(), std.tolist(), 'rgb')
        self.augmenter = LearnedAugmenter()
        self.augmenter.normalization = self.normalization
        self.objective = MODELS.build({'type': args.objective})
        self.classes = int(labels.max()) + 1
        self.teacher = self._teacher(images, labels)
        torch.manual_seed(args.seed)
        self.random = torch.Generator().manual_seed(args.seed)
        chosen = torch.randperm(len(labels), generator=self.random)[: args.images]
        self.images, self.labels = images[chosen], labels[chosen]
        self.student = network(12, images.shape[1], self.classes)
        adaptive = args.fraction == 'adaptive'
        held = min(max(round(0.05 * len(chosen)), 40), 2000) if adaptive else 0
        order = torch.randperm(len(chosen), generator=self.random)
        self.held, self.seen = order[:held], order[held:]
        self.amount = AdaptiveAmount(args.target, 1.0, 0.2 * LOOKS) if adaptive else None
        self.fraction = 1.0 if adaptive else float(args.fraction)

    def run(self) -> dict[str, Any]:
        """Train; accuracies in percent, the amount and the policy over training, seconds."""
        args, start = self.args, time.perf_counter()
        steps = args.steps
        optimizer = torch.optim.SGD(
            self.student.parameters(), 0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps, pct_start=0.15)
        search = MeasuringSearch(temperature=args.temperature)
        begins = {int(steps * (i + 0.5) / args.stages): i for i in range(args.stages)}
        amounts = []
        for step in range(steps):
            if step in begins:
                self._search(search, begins[step])
            if step == int(RELEASE * steps):
                self.seen = torch.cat((self.seen, self.held))
            elif step and step % (steps // LOOKS) == 0 and step < RELEASE * steps and self.amount:
                amounts.append([step, round(self._look(), 3), round(self.amount.gap, 3)])
            loss = self._loss(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        half = len(self.test[0]) // 2
        moved = self.augmenter.policy.probability_logits
        return {
            'validation': accuracy(self, self.student, slice(0, half)),
            'test': accuracy(self, self.student, slice(half, None)),
            'teacher': accuracy(self, self.teacher, slice(half, None)),
            'amount': amounts[::5],
            'last_fraction': round(self.fraction, 3),
            'policy': [round(v, 3) for v in moved.tolist()] if args.stages else None,
            'seconds': round(time.perf_counter() - start),
        }

    def score(self, data: tuple[Tensor, Tensor], draws: int) -> dict[str, Any]:
        """What a distiller's ``score`` gives."""
        self.student.eval()
        with torch.no_grad():
            images, labels = data[0].repeat(draws, 1, 1, 1), data[1].repeat(draws)
            images, draw = self.augmenter(images)
            student, teacher = forward(self.student, images), forward(self.teacher, images)
            own = {'loss': F.cross_entropy(student, labels, reduction='none')}
            theirs = {'loss': F.cross_entropy(teacher, labels, reduction='none')}
            judged = self.objective.judge(
                Losses(theirs, own, {'loss_kd': imitation(student, teacher)})
            )
        self.student.train()
        return {
            'objective': judged.objective,
            'loss_teacher': judged.teacher,
            'loss_student': judged.student,
            'terms': own,
            'draw': draw,
        }

    def _search(self, search: MeasuringSearch, index: int) -> None:
        """One stage of an equal share of 2 % of the images of the training."""
        draws = 0.02 * self.args.steps * BATCH / self.args.stages
        length = max(1, round(draws / (16 * search.draws)))
        search.begin(self, length, length)
        for step in range(length):
            self.augmenter.reseed(self.args.seed, 1 + index, step)
            search.step(self._batch(16))
        search.end()

    def _look(self) -> float:
        """Move the amount by the losses on seen and on held-out images."""
        self.student.eval()
        losses = []
        with torch.no_grad():
            for indices in (self.seen, self.held):
                chosen = indices[torch.randint(len(indices), (32,), generator=self.random)]
                images = self._normalized(chosen)
                both = forward(self.student, images), forward(self.teacher, images)
                losses.append(float(imitation(*both).mean()))
        self.student.train()
        assert self.amount is not None
        self.fraction = self.amount.update(*losses)
        return self.fraction

    def _loss(self, step: int) -> Tensor:
        """The loss of a student step on a batch of which a fraction is augmented."""
        images, labels = self._batch(BATCH)
        self.augmenter.reseed(self.args.seed, 0, step)
        count = int(self.fraction * BATCH + torch.rand((), generator=self.random).item())
        if count:
            images = torch.cat((self.augmenter(images[:count])[0], images[count:]))
        with torch.no_grad():
            teacher = forward(self.teacher, images)
        student = forward(self.student, images)
        own = F.cross_entropy(student, labels, reduction='none')
        if self.args.trust:
            own = own * teacher.softmax(1).gather(1, labels[:, None]).squeeze(1)
        return self.args.label_weight * own.mean() + imitation(student, teacher).mean()

    def _batch(self, count: int) -> tuple[Tensor, Tensor]:
        chosen = self.seen[torch.randint(len(self.seen), (count,), generator=self.random)]
        return self._usual(self._normalized(chosen)), self.labels[chosen]

    def _normalized(self, chosen: Tensor) -> Tensor:
        mean, std = self.normalization.mean, self.normalization.std
        return (self.images[chosen].float() - mean) / std

    def _usual(self, images: Tensor) -> Tensor:
        """Flips, and shifts by up to an eighth of the size."""
        flip = torch.rand(len(images), generator=self.random) < 0.5
        images = torch.where(flip[:, None, None, None], images.flip(-1), images)
        size, reach = images.shape[-1], images.shape[-1] // 8
        wide = F.pad(images, (reach,) * 4)
        places = torch.randint(2 * reach + 1, (len(images), 2), generator=self.random).tolist()
        return torch.stack(
            [
                image[:, y : y + size, x : x + size]
                for image, (y, x) in zip(wide, places, strict=True)
            ]
        )

    def _teacher(self, images: Tensor, labels: Tensor) -> nn.Module:
        """Trained once, with a third of each batch augmented."""
        path = self.args.work_dir / f'teacher_{self.args.data.name}.pth'
        teacher = network(32, images.shape[1], self.classes)
        if path.exists():
            teacher.load_state_dict(torch.load(path, weights_only=True))
            return teacher.eval().requires_grad_(False)
        torch.manual_seed(0)
        teacher = network(32, images.shape[1], self.classes)
        self.images, self.labels, self.seen = images, labels, torch.arange(len(labels))
        self.random, steps = torch.Generator().manual_seed(0), 4000
        optimizer = torch.optim.SGD(
            teacher.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, steps)
        for step in range(steps):
            inputs, target = self._batch(96)
            self.augmenter.reseed(step)
            inputs = torch.cat((self.augmenter(inputs[:32])[0], inputs[32:]))
            loss = F.cross_entropy(forward(teacher, inputs), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(teacher.state_dict(), path)
        return teacher.eval().requires_grad_(False)


@torch.no_grad()
def accuracy(training: Training, model: nn.Module, part: slice) -> float:
    """Top-1 accuracy in percent on a part of the test images."""
    images, labels = (values[part] for values in training.test)
    mean, std = training.normalization.mean, training.normalization.std
    was_training = model.training
    model.eval()
    right = sum(
        int((forward(model, (batch.float() - mean) / std).argmax(1) == target).sum())
        for batch, target in zip(images.split(500), labels.split(500), strict=True)
    )
    model.train(was_training)
    return round(100 * right / len(labels), 2)


def table(runs: list[dict[str, Any]]) -> str:
    """Test accuracy by data and method: mean, 95 % interval (t), seeds."""
    cells = defaultdict(list)
    for run in (run for run in runs if run['seed'] < 100):
        method = f'{run["fraction"]}'
        if run['fraction'] == 'adaptive':
            method += f' ({run["target"]})'
        if run['stages']:
            kind = run['objective'].removeprefix('tst_mm.').removesuffix('Objective').lower()
            method += f', search by {kind}, T {run["temperature"]:g}'
        method += ', trust' if run['trust'] else ''
        if run['label_weight'] != 1:
            method += f', label x {run["label_weight"]:g}'
        cells[(f'{run["data"]}, {run["images"]:,} images, {run["steps"]} steps', method)].append(
            run
        )
    rows = []
    for (task, method), found in sorted(cells.items()):
        values = np.array([run['test'] for run in found])
        half = 0.0
        if len(values) > 1:
            half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
        rows.append([task, method, f'{values.mean():.2f}', f'± {half:.2f}', str(len(values))])
    return markdown_table(['task', 'augmented', 'accuracy, %', '95 %', 'seeds'], rows)


if __name__ == '__main__':
    main()
