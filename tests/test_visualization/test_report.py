"""The page shows every run and figure, needs nothing beside itself, and says what is wrong."""

import base64
import copy
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tst_mm.visualization import Annotations, Distribution, Examples, load_runs, write_report
from tst_mm.visualization.report import default_path
from tst_mm.visualization.report_words import lead
from tst_mm.visualization.run_record import save_measurements

from .conftest import make_measured, make_policy

HEADINGS = {
    'The final policy',
    'Rates and magnitudes over training',
    'Confidence of teacher and student in the augmenter stages',
    'Confidence on original and on augmented images',
    'What the policy makes of training images',
    'Where it comes from',
}
#: What the page of a measuring search has beside or in place of these.
MEASURED = {
    'What the teacher knows and the student does not',
    'How much was augmented',
    'Effects over the stages',
}
EVIL = '<script>alert("x")</script> & co.py'


class Reader(HTMLParser):
    """Headings, pictures, table cells and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.headings, self.alternatives = [], [], []
        self.addresses, self.cells = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.addresses += [
            attributes[key] for key in ('src', 'srcset', 'href') if key in attributes
        ]
        if tag == 'img':
            self.alternatives.append(attributes['alt'])

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self.tags.append('')

    def handle_data(self, data):
        last = self.tags[-1] if self.tags else ''
        if last == 'h2':
            self.headings.append(data)
        if last in ('td', 'th'):
            self.cells.append(data)


def write_run(folder, policy, measured=True, shift=0.0):
    """A work folder as a run with PolicyReportHook leaves it."""
    folder.mkdir(parents=True)
    policy = copy.deepcopy(policy)
    for operator in policy['operators']:
        operator['rate'] += shift
    provenance = {'config': EVIL, 'seed': 0, 'stages': [[100, 20], [300, 10]]}
    content = json.dumps({**policy, 'provenance': provenance})
    (folder / 'policy.json').write_text(content)
    if measured:
        counts = {'teacher': [0] * 15 + [4] * 5, 'student': [4] * 5 + [0] * 15}
        means = {'teacher': 0.875, 'student': 0.125}
        kinds = ('original', 'augmented')
        distribution = Distribution(
            500, 20, dict.fromkeys(kinds, counts), dict.fromkeys(kinds, means)
        )
        images, labels = [np.full((40, 40, 3), 0.5)], [Annotations(boxes=np.array([[4, 4, 9, 9]]))]
        examples = Examples(1, (), images, images, ['Rotate +3 degrees'], labels, labels)
        save_measurements(folder, examples, distribution)
    return folder


@pytest.fixture(scope='module')
def policies():
    """The policy of conftest.py, once for all."""
    return make_policy()


@pytest.fixture(scope='module')
def single(policies, tmp_path_factory):
    """Page, its text, and its files, of one run."""
    folder = write_run(tmp_path_factory.mktemp('one') / 'tst', policies)
    page, *figures = write_report(folder / 'report.html', load_runs([folder]))
    return page, page.read_text(), figures


@pytest.fixture(scope='module')
def several(policies, tmp_path_factory):
    """The same of three runs, of which the last has measured nothing."""
    root = tmp_path_factory.mktemp('many')
    folders = [
        write_run(root / 'a' / 'tst', policies, shift=-0.3),
        write_run(root / 'b' / 'tst', policies, shift=0.1),
        write_run(root / 'c & d', policies, measured=False),
    ]
    page, *figures = write_report(default_path(folders), load_runs(folders))
    return page, page.read_text(), figures


@pytest.mark.parametrize('pages', ['single', 'several'])
def test_the_page_is_well_formed_and_fetches_nothing(pages, request):
    _, text, _ = request.getfixturevalue(pages)
    ElementTree.fromstring(text.removeprefix('<!DOCTYPE html>'))
    found = Reader(text)
    assert found.addresses and all(a.startswith('data:image/png;base64,') for a in found.addresses)
    assert not {'script', 'link', 'iframe', 'object'} & set(found.tags)
    assert 'http' not in re.sub(r'http-equiv|base64,[^"]*', '', text) and '@import' not in text


def test_every_picture_is_there_for_light_and_for_dark(single):
    _, text, figures = single
    assert set(Reader(text).headings) == HEADINGS
    names = {'final_policy', 'policy', 'confidence', 'distribution', 'images'}
    assert {path.stem for path in figures} == names
    found = re.findall(r'srcset="([^"]+)"/><img[^>]*alt="([^"]+)" src="([^"]+)"', text)
    assert len(found) == len(names)
    for dark, alternative, light in found:
        pixels = [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(part.split(',')[1]))), float)
            for part in (dark, light)
        ]
        assert pixels[0].shape == pixels[1].shape and pixels[0].shape[1] == 1200
        corners = [image[:2, :2].mean() for image in pixels]
        assert corners[0] < 40 and corners[1] > 250, alternative


def test_the_single_figures_are_those_of_the_page(single):
    page, text, figures = single
    for path in figures:
        assert path.parent == page.parent / 'report'
        assert base64.b64encode(path.read_bytes()).decode() in text


def test_only_whole_files_stay(single, several):
    for page, _, _ in (single, several):
        assert not list(page.parent.rglob('.*'))


def test_what_others_wrote_is_escaped(single):
    _, text, _ = single
    assert '<script' not in text
    assert '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; co.py' in text


def test_the_policy_can_be_read_as_a_table(single):
    cells = Reader(single[1]).cells
    row = cells.index('Rotate')
    assert cells[row : row + 3] == ['Rotate', '80.0%', '7.5 degrees']
    assert 'after 500 iterations, on 20 images' in cells
    assert '20 steps at iteration 100, 10 steps at iteration 300' in cells


def test_several_runs_stand_side_by_side(several):
    page, text, figures = several
    assert page.name == 'report.html' and (page.parent / 'a' / 'tst').is_dir()
    found = Reader(text)
    assert {'The final policies', 'Agreement'} <= set(found.headings)
    runs = ('a/tst', 'b/tst', 'c & d')
    for run in runs:
        assert f'Rates and magnitudes over training: {run}' in found.alternatives
        assert f'{run}: rate' in found.cells
    names = {path.name for path in figures}
    assert {'final_policy.png', 'agreement.png', 'policy_a-tst.png', 'policy_c-d.png'} <= names
    # Of the run that measured nothing the page says how to get what is missing.
    assert 'distribution_b-tst.png' in names and 'distribution_c-d.png' not in names
    assert 'c &amp; d: Not measured' in text and 'PolicyReportHook' in text


def test_a_measuring_search_shows_its_evidence(tmp_path):
    folder = write_run(tmp_path / 'run', make_measured())
    page, *figures = write_report(folder / 'report.html', load_runs([folder]))
    text = page.read_text()
    ElementTree.fromstring(text.removeprefix('<!DOCTYPE html>'))
    found = Reader(text)
    confidences = 'Confidence of teacher and student in the augmenter stages'
    assert set(found.headings) == HEADINGS - {confidences} | MEASURED
    names = {'effects', 'final_policy', 'amount', 'effect_history', 'policy'}
    assert {path.stem for path in figures} == names | {'distribution', 'images'}
    assert '<dd>Rotate (−0.50 ± 0.10)</dd>' in text and '<dd>Invert (+0.40 ± 0.10)</dd>' in text
    assert 'began at 1.00, fell to 0.20, then rose to 1.00' in text
    row = found.cells.index('Rotate')
    assert found.cells[row + 3] == '−0.50 ± 0.10'


def test_runs_of_both_kinds_are_compared(policies, tmp_path):
    folders = [
        write_run(tmp_path / 'gradient', policies, measured=False),
        write_run(tmp_path / 'measuring', make_measured(), measured=False),
    ]
    page, *figures = write_report(default_path(folders), load_runs(folders))
    text = page.read_text()
    assert 'Without such a measurement: gradient.' in text
    names = {path.stem for path in figures}
    assert {'effects', 'confidence_gradient', 'amount_measuring', 'policy_gradient'} <= names
    assert not {'confidence_measuring', 'amount_gradient'} & names


def test_the_first_sentence_tells_when_it_was_measured(policies, tmp_path):
    for measured, words in (
        (True, 'Measured after 500 iterations, on 20 training images as the policy augments them'),
        (False, 'In stage 2, the last one with a measurement, the teacher gave the truth 0.70'),
    ):
        folder = write_run(tmp_path / str(measured), policies, measured)
        assert words in lead(load_runs([folder]))


def test_runs_without_stages_have_a_policy_and_say_so(policies, tmp_path):
    folder = write_run(tmp_path / 'random', {**policies, 'history': []}, measured=False)
    page, *figures = write_report(default_path([folder]), load_runs([folder]))
    assert page == folder / 'report.html'
    assert [path.name for path in figures] == ['final_policy.png']
    assert page.read_text().count('No augmenter stage has run') == 2


@pytest.mark.faults
@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'has no policy.json; allowed: the work folder of a TST run'),
        ('{"version": 1, "operators": [{"na', 'is not JSON, or cut short'),
        ('[]', 'has version None; allowed: 1'),
        (
            '{"version": 99, "operators": []}',
            'has version 99; allowed: 1, 2 (it was written by a newer',
        ),
        ('{"version": 1}', 'needs a list "operators"'),
        ('{"version": 1, "operators": [3]}', 'needs a list "operators"'),
        ('{"version": 1, "operators": [{"name": "Rotate"}]}', 'of entries with name and rate'),
    ],
)
def test_a_broken_policy_file_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / 'policy.json').write_text(content)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load_runs([tmp_path])
    assert message in str(error.value) and str(tmp_path) in str(error.value)


@pytest.mark.faults
@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda entry: entry.pop('rates'), 'rates of history[1] are None'),
        (lambda entry: entry['rates'].pop(), 'rates of history[1] are'),
        (
            lambda entry: entry.update(magnitudes=['a'] * 14),
            'magnitudes of history[1] is',
        ),
        (lambda entry: entry.update(step='x'), 'step in the policy are'),
    ],
)
def test_a_broken_history_is_named(policies, tmp_path, change, message):
    policy = copy.deepcopy(policies)
    change(policy['history'][1])
    (tmp_path / 'policy.json').write_text(json.dumps(policy))
    with pytest.raises(ValueError, match=re.escape(message)):
        load_runs([tmp_path])


@pytest.mark.faults
@pytest.mark.parametrize(
    'content', ['{"iteration": 3', '{}', '{"iteration": 1, "images": 2}', '[]']
)
def test_a_broken_distribution_is_named(policies, tmp_path, content):
    folder = write_run(tmp_path / 'run', policies)
    (folder / 'report' / 'distribution.json').write_text(content)
    with pytest.raises(ValueError, match='distribution.json is no distribution of confidence'):
        load_runs([folder])


def test_a_run_given_twice_is_refused(policies, tmp_path):
    folder = write_run(tmp_path / 'run', policies, measured=False)
    with pytest.raises(ValueError, match='is given twice; allowed: each run once'):
        load_runs([folder, tmp_path / 'run' / '..' / 'run'])
