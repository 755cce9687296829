import type { Round } from './run.ts';
import type { Figure, Scenario } from './scenarios/scenario.ts';
import { median } from './statistics.ts';

export interface Line {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** Medians over the rounds; NaN where it was not measured. */
  readonly stock: number;
  readonly weft: number;
  readonly ratio: number;
  readonly aim: string;
  /** `undefined` without an aim or without both values. */
  readonly reached: boolean | undefined;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
  readonly rounds: readonly Round[];
}

export function summarize(scenario: Scenario, rounds: readonly Round[]): ScenarioResult {
  const notes = rounds.flatMap(({ target, notes: said, failure }) => [
    ...said.map((note) => `${target}: ${note}`),
    ...(failure === undefined ? [] : [`${target} failed: ${failure}`]),
  ]);
  return {
    name: scenario.name,
    title: scenario.title,
    lines: scenario.figures.map((figure) => lineOf(figure, rounds)),
    notes: [...new Set(notes)],
    rounds,
  };
}

function lineOf(figure: Figure, rounds: readonly Round[]): Line {
  const of = (target: Round['target']) =>
    median(
      rounds.filter((round) => round.target === target).map(({ readings }) => readings[figure.key] ?? NaN),
    );
  const stock = of('stock');
  const weft = of('weft');
  const ratio = weft / stock;
  const { key, label, unit } = figure;
  return {
    key,
    label,
    unit,
    stock,
    weft,
    ratio,
    aim: aimText(figure),
    reached: reached(figure, { weft, ratio }),
  };
}

function aimText({ aim, unit }: Figure): string {
  if (!aim) return '';
  const bound = aim.atMost === undefined ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`;
  return aim.of === 'ratio' ? bound : `${bound} ${unit}`.trim();
}

function reached({ aim }: Figure, { weft, ratio }: { weft: number; ratio: number }): boolean | undefined {
  const value = aim?.of === 'ratio' ? ratio : weft;
  if (!aim || Number.isNaN(value)) return undefined;
  return value <= (aim.atMost ?? Infinity) && value >= (aim.atLeast ?? -Infinity);
}

export function formatTable({ title, lines, notes }: ScenarioResult): string {
  const rows = [['', 'stock', 'weft', 'ratio', 'aim', ''], ...lines.map(cells)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const table = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return ['', title, ...table, ...notes.map((note) => `  ! ${note}`)]
    .map((line) => line.trimEnd())
    .join('\n');
}

export function formatMarkdown(results: readonly ScenarioResult[], heading: string): string {
  const rows = results.flatMap(({ title, lines }) => [
    `| **${title}** | | | | | |`,
    ...lines.map((line) => `| ${cells(line).join(' | ')} |`),
  ]);
  const notes = results.flatMap(({ name, notes: said }) =>
    said.map((note) => `- ${name}: ${note.split('\n')[0]}`),
  );
  return [
    heading,
    '',
    '| | stock | weft | ratio | aim | |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}

function cells({ label, unit, stock, weft, ratio, aim, reached: met }: Line): string[] {
  const value = (number: number) => (Number.isNaN(number) ? '–' : `${formatNumber(number)} ${unit}`.trim());
  const verdict = met === undefined ? '' : met ? 'reached' : 'missed';
  return [label, value(stock), value(weft), Number.isFinite(ratio) ? formatNumber(ratio) : '–', aim, verdict];
}

/** Three significant digits, and no more decimals than they need. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 999.5) return Math.round(value).toLocaleString('en-US');
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) < 0.001 ? rounded.toExponential(1) : String(rounded);
}
