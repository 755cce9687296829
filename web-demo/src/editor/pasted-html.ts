/**
 * Mails lay out their pages with tables in tables: of those only the inner text is wanted. What stood in a cell of a
 * table in a cell becomes a paragraph there.
 */
export function withoutNestedTables(html: string): string {
  if (!/<table[\s\S]*<table/i.test(html)) return html;
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  const outer = [...body.querySelectorAll('table')].filter((table) => table.closest('td, th') === null);
  for (const table of outer) {
    for (let inner = table.querySelector('table'); inner; inner = table.querySelector('table')) {
      inner.replaceWith(...[...inner.rows].flatMap((row) => [...row.cells].map(blockOf)));
    }
  }
  return body.innerHTML;
}

function blockOf(cell: HTMLTableCellElement): HTMLElement {
  const block = document.createElement('div');
  block.append(...cell.childNodes);
  return block;
}
