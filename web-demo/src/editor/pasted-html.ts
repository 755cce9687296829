export interface FittedHtml {
  readonly html: string;
  /** There were pictures, which the document has no place for. */
  readonly hadPictures: boolean;
}

/** What needs no care is most of what is pasted, and is not parsed twice. */
const NEEDS_CARE = /<img|<h[4-6]|<table[\s\S]*<table/i;

/** As much of foreign HTML as the document has a place for. */
export function fittedHtml(html: string): FittedHtml {
  if (!NEEDS_CARE.test(html)) return { html, hadPictures: false };
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  const hadPictures = removePictures(body);
  raiseSmallHeadings(body);
  flattenNestedTables(body);
  return { html: body.innerHTML, hadPictures };
}

/** Word processors draw the boxes of their check lists: those are no loss. */
function removePictures(body: HTMLElement): boolean {
  const pictures = [...body.querySelectorAll('img')];
  for (const picture of pictures) picture.remove();
  return pictures.some(({ ariaRoleDescription }) => !ariaRoleDescription?.includes('checkbox'));
}

/** Three sizes of headings there are; what is smaller is still a heading. */
function raiseSmallHeadings(body: HTMLElement): void {
  for (const heading of body.querySelectorAll('h4, h5, h6')) {
    const raised = document.createElement('h3');
    raised.append(...heading.childNodes);
    heading.replaceWith(raised);
  }
}

/**
 * Mails lay out their pages with tables in tables: of those only the inner text is wanted. What stood in a cell of a
 * table in a cell becomes a paragraph there.
 */
function flattenNestedTables(body: HTMLElement): void {
  const outer = [...body.querySelectorAll('table')].filter((table) => table.closest('td, th') === null);
  for (const table of outer) {
    for (let inner = table.querySelector('table'); inner; inner = table.querySelector('table')) {
      inner.replaceWith(...[...inner.rows].flatMap((row) => [...row.cells].map(blockOf)));
    }
  }
}

function blockOf(cell: HTMLTableCellElement): HTMLElement {
  const block = document.createElement('div');
  block.append(...cell.childNodes);
  return block;
}
