import { expect, test } from 'vitest';
import { formatNumber, formatTable, summarize } from './report.ts';
import type { Round } from './run.ts';
import type { Scenario } from './scenarios/scenario.ts';

const scenario: Scenario = {
  name: 'sample',
  title: 'A sample',
  instances: 1,
  deadline: 1,
  figures: [
    { key: 'cpu', label: 'CPU', unit: 'µs', aim: { of: 'ratio', atMost: 0.5 } },
    { key: 'rate', label: 'rate', unit: '/s', aim: { of: 'ratio', atLeast: 2 } },
    { key: 'lost', label: 'lost', unit: '', aim: { of: 'value', atMost: 0 } },
  ],
  run: async () => ({}),
};

const round = (target: Round['target'], cpu: number, rate: number, lost: number): Round => ({
  target,
  readings: { cpu, rate, lost },
  notes: [],
});

test('P12.1 medians are compared with the aim, as a ratio or as a value', () => {
  const rounds = [
    round('stock', 100, 10, 7),
    round('weft', 40, 30, 0),
    round('stock', 300, 10, 9),
    round('weft', 60, 10, 0),
    round('stock', 110, 10, 8),
    round('weft', 50, 15, 0),
  ];
  const { lines } = summarize(scenario, rounds);
  expect(lines.map(({ stock, weft, reached }) => [stock, weft, reached])).toEqual([
    [110, 50, true],
    [10, 15, false],
    [8, 0, true],
  ]);
});

test('P12.1 a failed round is told, and nothing is claimed without values', () => {
  const failed: Round = { target: 'weft', readings: {}, notes: ['slow'], failure: 'it ended' };
  const result = summarize(scenario, [round('stock', 1, 1, 1), failed]);
  expect(result.lines.map(({ reached }) => reached)).toEqual([undefined, undefined, undefined]);
  expect(formatTable(result)).toContain('weft failed: it ended');
  expect(result.notes).toContain('weft: slow');
});

test('P12.1 numbers are shown with three digits', () => {
  expect([0, 0.01234, 1.2345, 123.45, 999.7, 12345.6].map(formatNumber)).toEqual([
    '0',
    '0.0123',
    '1.23',
    '123',
    '1,000',
    '12,346',
  ]);
});
