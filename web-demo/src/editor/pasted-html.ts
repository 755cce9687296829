/**
 * The editor has no tables. Left to itself it would run the cells of a pasted one together; so each row becomes a
 * paragraph, with its cells apart.
 */
export function rowsAsParagraphs(html: string): string {
  if (!/<table/i.test(html)) return html;
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  for (const table of body.querySelectorAll('table')) {
    const rows = [...table.rows].map((row) => [...row.cells].map(inlineOf).join(' | '));
    table.outerHTML = rows.map((row) => `<p>${row}</p>`).join('');
  }
  return body.innerHTML;
}

/** The cell's words with their marks, on one line. */
function inlineOf(cell: HTMLTableCellElement): string {
  for (const block of cell.querySelectorAll('p, div, li, ul, ol, br, h1, h2, h3, h4, h5, h6')) {
    block.replaceWith(...block.childNodes, ' ');
  }
  return cell.innerHTML.trim();
}
