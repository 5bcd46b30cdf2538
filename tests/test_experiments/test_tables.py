"""Tables in Markdown."""

import pytest

from tst_mm.experiments import Result, cost_table, markdown_table


def test_columns_are_as_wide_as_their_longest_cell():
    assert markdown_table(['name', 'n'], [['a', '10'], ['longer', '2']]).splitlines() == [
        '| name   |  n |',
        '| ------ | -: |',
        '| a      | 10 |',
        '| longer |  2 |',
    ]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match='shorter'):
        markdown_table(['name', 'n'], [['a']])


def test_the_table_relates_costs_to_distillation():
    table = cost_table(
        {
            'kd': [Result(80.0, 0.1, 100, 0.0)],
            'tst': [Result(82.0, 0.12, 100, 3.0), Result(81.0, 0.12, 100, 3.0)],
        },
        {'kd': 'KD', 'tst': 'TST'},
        'kd',
        'accuracy, %',
    )
    cells = [[cell.strip() for cell in row.split('|')[1:-1]] for row in table.splitlines()]
    assert cells[2] == ['KD', '80.0', '1.00 x', '1.00 x']
    assert cells[3] == ['TST', '81.5 ± 0.7', '1.20 x', '1.50 x']
    assert len({len(row) for row in table.splitlines()}) == 1
