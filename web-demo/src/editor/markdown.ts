import type { Mark, Node } from '@tiptap/pm/model';

/** The text in Markdown (CommonMark, with the strikethrough, the tasks and the tables of GitHub's). */
export function markdownOf(doc: Node): string {
  return `${blocks(doc)}\n`;
}

function blocks(parent: Node): string {
  return parent.children.map(block).join('\n\n');
}

function block(node: Node): string {
  switch (node.type.name) {
    case 'heading':
      return `${'#'.repeat(Number(node.attrs['level']))} ${inline(node)}`;
    case 'blockquote':
      return blocks(node).replace(/^/gm, '> ').replace(/ +$/gm, '');
    case 'codeBlock':
      return fenced(node);
    case 'horizontalRule':
      return '---';
    case 'bulletList':
      return items(node, () => '- ');
    case 'orderedList':
      return items(node, (index) => `${Number(node.attrs['start'] ?? 1) + index}. `);
    case 'taskList':
      return items(node, (_index, item) => (item.attrs['checked'] === true ? '- [x] ' : '- [ ] '));
    case 'table':
      return table(node);
    default:
      return escapedStart(inline(node));
  }
}

function items(list: Node, marker: (index: number, item: Node) => string): string {
  return list.children
    .map((item, index) => {
      const begin = marker(index, item);
      // What belongs to an item stands below its first letter; a task's box is part of its text.
      const indent = ' '.repeat(begin.replace(/\[.\] $/, '').length);
      const inside = item.children.map(block).join('\n');
      return begin + inside.replace(/\n(?=.)/g, `\n${indent}`);
    })
    .join('\n');
}

/** The first row is the head, which every table there has. */
function table(node: Node): string {
  const [head = [], ...rows] = node.children.map((row) => row.children.flatMap(cells));
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** On one line each, which is all there is room for; one that spans others is followed by empty ones. */
function cells(cell: Node): string[] {
  const lines: string[] = [];
  cell.descendants((inside) => {
    if (inside.isTextblock) lines.push(inline(inside).replaceAll('\\\n', '<br>').replaceAll('|', '\\|'));
    return !inside.isTextblock;
  });
  const empty = Array.from({ length: Number(cell.attrs['colspan']) - 1 }, () => '');
  return [lines.join('<br>'), ...empty];
}

/** The fence is longer than any in the code. */
function fenced(node: Node): string {
  const code = node.textContent;
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${String(node.attrs['language'] ?? '')}\n${code}\n${fence}`;
}

const SIGNS: Readonly<Record<string, string>> = { bold: '**', italic: '*', strike: '~~' };

function inline(parent: Node): string {
  return parent.children
    .map((node) => (node.isText ? marked(node) : node.type.name === 'hardBreak' ? '\\\n' : ''))
    .join('');
}

/** Signs must touch the words that they are for: spaces stay outside. */
function marked({ text = '', marks }: Node): string {
  const [, before = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(text) ?? [];
  if (words === '') return text;
  const isCode = marks.some(({ type }) => type.name === 'code');
  const inner = isCode ? `\`${words}\`` : words.replace(/[\\`*_[\]<>~]/g, '\\$&');
  return before + marks.reduceRight((wrapped, mark) => wrap(wrapped, mark), inner) + after;
}

function wrap(text: string, { type, attrs }: Mark): string {
  if (type.name === 'link') {
    const href = String(attrs['href']);
    return `[${text}](${/[()\s]/.test(href) ? `<${href}>` : href})`;
  }
  const sign = SIGNS[type.name] ?? '';
  return sign + text + sign;
}

/** A paragraph that begins like a heading, a list or a quotation is none. */
function escapedStart(text: string): string {
  return text.replace(/^(#{1,6}(?= )|[-+](?= )|>)/, '\\$1').replace(/^(\d+)([.)] )/, '$1\\$2');
}
