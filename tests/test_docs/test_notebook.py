"""The notebook runs from its first cell to its last: few pictures, thin networks, one epoch."""

import json
import os

import pytest

from test_docs.pages import ROOT

NOTEBOOK = ROOT / 'examples' / 'classification.ipynb'


def test_it_is_kept_without_output():
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    code = [cell for cell in cells if cell['cell_type'] == 'code']
    assert len(code) > 4 and not any(cell['outputs'] or cell['execution_count'] for cell in code)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_runs(tmp_path, monkeypatch):
    nbformat = pytest.importorskip('nbformat')
    nbclient = pytest.importorskip('nbclient')
    pytest.importorskip('ipykernel')
    paths = [str(ROOT), str(ROOT / 'tests'), os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace('= 60, 20', '= 2, 1')
    assert '= 2, 1' in notebook.cells[1].source
    thin = {'--teacher-options': 'model.', '--cfg-options': 'model.student.'}
    for key, model in thin.items():
        words = f"'{key}', short"
        assert words in notebook.cells[5].source
        options = f"'{model}backbone.base_channels=8', '{model}head.in_channels=64'"
        notebook.cells[5].source = notebook.cells[5].source.replace(words, f'{words}, {options}')
    notebook.cells.insert(
        0, nbformat.v4.new_code_cell('import forked, quick; quick.be_quick(); forked.use()')
    )
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name='python3', resources={'metadata': {'path': tmp_path}}
    )
    client.execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get('outputs', [])
        if 'image/png' in output.get('data', {})
    ]
    assert len(pictures) == 2  # the samples and the effects
    assert (tmp_path / 'runs/clothes/student_epoch_1.pth').is_file()
    assert (tmp_path / 'runs/clothes_seed1/report.html').is_file()
