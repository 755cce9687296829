import { getSchema } from '@tiptap/core';
import { TaskItem, TaskList } from '@tiptap/extension-list';
import { TableKit } from '@tiptap/extension-table';
import { Node } from '@tiptap/pm/model';
import StarterKit from '@tiptap/starter-kit';
import { expect, test } from 'vitest';
import { markdownOf } from './markdown.ts';

const schema = getSchema([StarterKit, TableKit, TaskList, TaskItem.configure({ nested: true })]);

interface Json {
  readonly type: string;
  readonly attrs?: object;
  readonly content?: readonly Json[];
  readonly text?: string;
  readonly marks?: readonly { readonly type: string; readonly attrs?: object }[];
}

const text = (words: string, ...marks: string[]): Json => ({
  type: 'text',
  text: words,
  marks: marks.map((type) => ({ type })),
});
const node = (type: string, ...content: Json[]): Json => ({ type, content });
const paragraph = (...content: Json[]): Json => node('paragraph', ...content);
const markdown = (...content: Json[]): string => markdownOf(Node.fromJSON(schema, node('doc', ...content)));

test('P9.23 marks touch their words, and links keep their address', () => {
  const link = { ...text('the fair'), marks: [{ type: 'link', attrs: { href: 'https://example.com/a' } }] };
  expect(
    markdown(
      paragraph(text('All '), text('bold ', 'bold'), text('and both', 'bold', 'italic'), text(' of '), link),
    ),
  ).toBe('All **bold** ***and both*** of [the fair](https://example.com/a)\n');
});

test('P9.23 headings, lists, tasks, quotations and code', () => {
  const task = (checked: boolean, words: string): Json => ({
    ...node('taskItem', paragraph(text(words))),
    attrs: { checked },
  });
  expect(
    markdown(
      { ...node('heading', text('Plan')), attrs: { level: 2 } },
      node(
        'bulletList',
        node(
          'listItem',
          paragraph(text('one')),
          node('orderedList', node('listItem', paragraph(text('first')))),
        ),
        node('listItem', paragraph(text('two'))),
      ),
      node('taskList', task(true, 'done'), task(false, 'open')),
      node('blockquote', paragraph(text('a')), paragraph(text('b'))),
      { ...node('codeBlock', text('let a = `b`;\n```')), attrs: { language: 'js' } },
      node('horizontalRule'),
    ),
  ).toBe(
    [
      '## Plan',
      '- one\n  1. first\n- two',
      '- [x] done\n- [ ] open',
      '> a\n>\n> b',
      '````js\nlet a = `b`;\n```\n````',
      '---\n',
    ].join('\n\n'),
  );
});

test('P9.23 tables, a cell on one line', () => {
  const cell = (...content: Json[]): Json => node('tableCell', ...content);
  const wide = { ...cell(paragraph(text('both'))), attrs: { colspan: 2 } };
  expect(
    markdown(
      node(
        'table',
        node('tableRow', node('tableHeader', paragraph(text('Name'))), node('tableHeader', paragraph())),
        node('tableRow', cell(paragraph(text('a|b', 'bold')), paragraph(text('c'))), cell(paragraph())),
        node('tableRow', wide),
      ),
    ),
  ).toBe('| Name |  |\n| --- | --- |\n| **a\\|b**<br>c |  |\n| both |  |\n');
});

test('P9.23 what only looks like Markdown stays as it is', () => {
  expect(markdown(paragraph(text('# 2 * 3 [x] <b>')), paragraph(text('1. not a list')))).toBe(
    '\\# 2 \\* 3 \\[x\\] \\<b\\>\n\n1\\. not a list\n',
  );
});
