"""mmcv's operators: which wheel is taken, when one is built, and from what sources."""

import subprocess
import sys
import zipfile


def make_wheel(path, *names):
    with zipfile.ZipFile(path, 'w') as archive:
        for name in names:
            archive.writestr(name, '')
    return path


def test_wheel_without_operators_is_told_apart(load, tmp_path):
    operators = load('setup_steps.operators')
    good = make_wheel(tmp_path / 'a.whl', 'mmcv/__init__.py', 'mmcv/_ext.cpython-311.so')
    bad = make_wheel(tmp_path / 'b.whl', 'mmcv/__init__.py', 'mmcv/ops/_ext_of_another.py')
    assert operators.has_operators(good)
    assert not operators.has_operators(bad)


def test_kept_wheels_fit_torch_and_python(load, tmp_path, monkeypatch, root):
    operators = load('setup_steps.operators')
    tag = f'cp{sys.version_info[0]}{sys.version_info[1]}'
    fitting = f'onedl_mmcv-2.3.6-{tag}-{tag}-linux_x86_64.whl'
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    found = operators.Operators('onedl-mmcv==2.3.6', sys.executable, elsewhere)
    for name in (
        fitting,
        'onedl_mmcv-2.3.6-py3-none-any.whl',
        'onedl_mmcv-2.3.6-cp39-cp39-linux_x86_64.whl',
        f'onedl_mmcv-2.3.5-{tag}-{tag}-linux_x86_64.whl',
        f'mmcv-2.1.0-{tag}-{tag}-linux_x86_64.whl',
    ):
        (elsewhere / name).touch()
    assert [path.name for path in found.candidates()] == [fitting]
    found.cache.mkdir(parents=True)
    kept = found.cache / fitting
    kept.touch()
    assert next(found.candidates()) == kept
    found.wheels = None
    assert list(found.candidates()) == [kept]
    assert operators.cache_key('2.13.0+cu130', True) == 'torch-2.13.0+cu130-cuda'
    assert operators.cache_key('2.13.0+cu130', False) == 'torch-2.13.0+cu130'


def test_sources_become_one_file_with_helpers_of_their_own(load, tmp_path):
    """Compiled for real: two files define the same helper, and one leaves a macro behind."""
    source = 'template <typename T> T add(T a) { return a + %d; }\nint %s() { return add(0); }\n'
    (tmp_path / 'cpu').mkdir()
    (tmp_path / 'cpu' / 'one.cpp').write_text(source % (1, 'one') + '#define max(a, b) broken\n')
    (tmp_path / 'two.cpp').write_text('#include <algorithm>\n' + source % (2, 'two'))
    (tmp_path / 'pybind.cpp').write_text('#include <torch/extension.h>')
    module = load('setup_steps.sources')
    united = module.unite(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob('*.cpp')) == ['pybind.cpp', 'united.cpp']
    assert 'pybind.h' in (tmp_path / 'pybind.cpp').read_text()
    text = united.read_text()
    assert text.startswith(module._FIRST)
    united.write_text(
        text.removeprefix(module._FIRST) + 'int main() { return one() * 10 + two(); }'
    )
    program = tmp_path / 'program'
    compiler = load('setup_steps.machine').compiler()
    subprocess.run([compiler, str(united), '-o', str(program)], check=True)
    assert subprocess.run([str(program)], check=False).returncode == 12


def test_a_wheel_is_built_only_where_none_may_fit(load, monkeypatch):
    operators = load('setup_steps.operators')
    one = operators.Operators.__new__(operators.Operators)
    built = []
    monkeypatch.setattr(one, 'build', built.append, raising=False)
    for kept, installed, times in (([], True, 0), (['wheel'], False, 0), ([], False, 1)):
        monkeypatch.setattr(one, 'candidates', lambda kept=kept: iter(kept), raising=False)
        monkeypatch.setattr(one, 'installed', lambda installed=installed: installed, raising=False)
        one.prepare('console')
        assert built == ['console'] * times
