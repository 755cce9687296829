export interface FittedHtml {
  readonly html: string;
  /** There were pictures, which the document has no place for. */
  readonly hadPictures: boolean;
}

/** What needs no care is most of what is pasted, and is not parsed twice. */
const NEEDS_CARE = /<img|<h[4-6]|mso-list|<table[\s\S]*<table|<li[\s\S]*(checkbox|\[[ x]\])/i;

/**
 * As much of foreign HTML as the document has a place for. It never comes into the page's own document, where it would load
 * what it names, and run what that starts.
 */
export function fittedHtml(html: string): FittedHtml {
  if (!NEEDS_CARE.test(html)) return { html, hadPictures: false };
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  const hadPictures = removePictures(body);
  gatherTasks(body);
  raiseSmallHeadings(body);
  gatherWordLists(body);
  flattenNestedTables(body);
  return { html: body.innerHTML, hadPictures };
}

/** Word processors draw the boxes of their check lists: those are no loss. */
function removePictures(body: HTMLElement): boolean {
  const pictures = [...body.querySelectorAll('img')];
  for (const picture of pictures) picture.remove();
  return pictures.some(({ ariaRoleDescription }) => !ariaRoleDescription?.includes('checkbox'));
}

/** Check lists, of which each program has a way of its own. */
function gatherTasks(body: HTMLElement): void {
  for (const list of body.querySelectorAll('ul')) {
    const items = [...list.children].filter((child) => child.localName === 'li');
    const boxes = items.map(boxOf);
    if (items.length === 0 || boxes.includes(undefined)) continue;
    list.dataset['type'] = 'taskList';
    for (const [index, item] of items.entries()) {
      item.setAttribute('data-type', 'taskItem');
      item.setAttribute('data-checked', String(boxes[index]?.checked));
      boxes[index]?.remove();
    }
  }
}

interface Box {
  readonly checked: boolean;
  readonly remove: () => void;
}

/** @returns `undefined` where an item begins with none */
function boxOf(item: Element): Box | undefined {
  const own = (element: Element | null): element is Element => element?.closest('li') === item;
  const input = item.querySelector<HTMLInputElement>('input[type="checkbox"]');
  if (own(input)) return { checked: input.checked, remove: () => input.remove() };
  if (item.getAttribute('role') === 'checkbox') {
    return { checked: item.getAttribute('aria-checked') === 'true', remove: () => undefined };
  }
  const text = item.ownerDocument.createTreeWalker(item, NodeFilter.SHOW_TEXT).nextNode();
  const [written, mark] = /^\s*\[([ x])\]\s+/i.exec(text?.nodeValue ?? '') ?? [];
  if (!text || written === undefined) return undefined;
  return {
    checked: mark !== ' ',
    remove: () => {
      text.nodeValue = (text.nodeValue ?? '').slice(written.length);
    },
  };
}

/** Three sizes of headings there are; what is smaller is still a heading. */
function raiseSmallHeadings(body: HTMLElement): void {
  for (const heading of body.querySelectorAll('h4, h5, h6')) {
    const raised = body.ownerDocument.createElement('h3');
    raised.append(...heading.childNodes);
    heading.replaceWith(raised);
  }
}

/** Word puts paragraphs in the place of list items: their style says how deep they are, and their mark is text. */
function gatherWordLists(body: HTMLElement): void {
  const open: HTMLElement[] = [];
  for (const item of body.querySelectorAll('p[style*="mso-list"]')) {
    const level = /mso-list:\s*\S+\s+level(\d+)/i.exec(item.getAttribute('style') ?? '')?.[1];
    if (level === undefined) continue;
    if (item.previousElementSibling !== open[0]) open.length = 0;
    const depth = Math.min(Number(level), open.length + 1);
    const mark = item.querySelector('[style*="mso-list:Ignore" i]');
    const kind = /^\s*\w+[.)]/.test(mark?.textContent ?? '') ? 'ol' : 'ul';
    mark?.remove();
    open.length = open[depth - 1]?.localName === kind ? depth : depth - 1;
    if (open.length < depth) {
      const list = body.ownerDocument.createElement(kind);
      const above = open.at(-1)?.lastElementChild;
      if (above) above.append(list);
      else item.before(list);
      open.push(list);
    }
    const place = body.ownerDocument.createElement('li');
    open.at(-1)?.append(place);
    place.append(item);
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
  const block = cell.ownerDocument.createElement('div');
  block.append(...cell.childNodes);
  return block;
}
