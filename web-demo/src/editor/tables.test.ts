import { getSchema } from '@tiptap/core';
import { TableMap } from '@tiptap/pm/tables';
import { initProseMirrorDoc } from '@tiptap/y-tiptap';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { contentExtensions } from './extensions.ts';
import { takeEverything } from './foreign-content.ts';

function cellOf(attributes: object): Y.XmlElement {
  const cell = new Y.XmlElement('tableCell');
  for (const [key, value] of Object.entries(attributes)) cell.setAttribute(key, value as string);
  cell.insert(0, [new Y.XmlElement('paragraph')]);
  return cell;
}

test.each([
  [
    { colspan: 5_000_000, rowspan: 5_000_000 },
    { colspan: 1_000, rowspan: 65_534 },
  ],
  [
    { colspan: '2', rowspan: '3' },
    { colspan: 2, rowspan: 3 },
  ],
  [
    { colspan: -5, rowspan: 0 },
    { colspan: 1, rowspan: 1 },
  ],
  [
    { colspan: 1.5, rowspan: { a: 1 } },
    { colspan: 1, rowspan: 1 },
  ],
  [{ colwidth: ['wide'] }, { colwidth: null }],
  [{ colwidth: 'wide' }, { colwidth: null }],
  [{ colwidth: [120] }, { colwidth: [120] }],
])('P9.28 a cell of another program with %j is a cell of the table', (attributes, expected) => {
  const doc = new Y.Doc();
  const fragment = doc.getXmlFragment('default');
  const [table, row] = [new Y.XmlElement('table'), new Y.XmlElement('tableRow')];
  row.insert(0, [cellOf(attributes)]);
  table.insert(0, [row]);
  fragment.insert(0, [table]);
  const before = fragment.toJSON();

  const schema = getSchema(contentExtensions(doc));
  takeEverything(schema, { fragment, isWritable: () => true });
  const shown = initProseMirrorDoc(fragment, schema).doc.firstChild;
  if (!shown) throw new Error('no table');
  expect(shown.firstChild?.firstChild?.attrs).toMatchObject(expected);
  expect(TableMap.get(shown).width).toBeLessThanOrEqual(1_000);
  expect(fragment.toJSON()).toBe(before);
});
