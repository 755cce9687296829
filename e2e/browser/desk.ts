import {
  test as base,
  expect,
  type Browser,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from '@playwright/test';
import { FaultProxy, RestClient, startWeft, until, type WeftServer } from '@weft/harness';

declare global {
  interface Window {
    shownText(): string;
  }
}

/** The sample people of the demo. */
export type PersonId = 'ada' | 'grace' | 'mira' | 'tomas' | 'yuki' | 'omar';

/** One person at a screen of their own, with a network line of their own. */
export interface Desk {
  readonly person: PersonId;
  readonly page: Page;
  readonly text: Locator;
  readonly line: FaultProxy;
  /** What went wrong in the page itself. */
  readonly errors: readonly string[];
  expectStatus(
    status: 'saved' | 'saving' | 'not-saved' | 'offline' | 'read-only' | 'access-removed' | 'connecting',
  ): Promise<void>;
  /** Cuts the network. */
  goOffline(): void;
  goOnline(): void;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly server: WeftServer;
  readonly browser: Browser;
  readonly person: PersonId;
  /** A document, or none for the list. */
  readonly document?: string;
  readonly context?: BrowserContextOptions;
}

/** The development server of the demo, which hands out the tokens of its sample people. */
export function startDemo(options: Parameters<typeof startWeft>[0] = {}): Promise<WeftServer> {
  return startWeft({ ...options, env: { WEFT_JWT_SECRET: '', ...options.env } });
}

export async function restOf(server: WeftServer, person: PersonId): Promise<RestClient> {
  return new RestClient({ url: server.url, token: await tokenOf(server, { sub: person }) });
}

export async function tokenOf(
  server: WeftServer,
  claims: {
    readonly sub: string;
    readonly name?: string;
    readonly color?: string;
    readonly expiresIn?: number;
  },
): Promise<string> {
  const response = await fetch(`${server.url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(claims),
  });
  return ((await response.json()) as { token: string }).token;
}

let documents = 0;

/** A new document of Ada's that the others have these roles on. */
export async function newDocument(
  server: WeftServer,
  roles: Partial<Record<PersonId, Role>> = {},
): Promise<string> {
  const name = `browser-${process.pid}-${++documents}`;
  const ada = await restOf(server, 'ada');
  await ada.createDocument(name, { title: name });
  for (const [person, role] of Object.entries(roles)) await ada.grant(name, `user:${person}`, role);
  return name;
}

export async function openDesk({ server, browser, person, document, context }: OpenOptions): Promise<Desk> {
  const line = await FaultProxy.start(server.port);
  const browserContext = await browser.newContext(context);
  await browserContext.addInitScript(provideShownText);
  const page = await browserContext.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // The browser itself reports connections that fail, which is what some tests are about.
    const isNetwork = /Failed to load resource|WebSocket connection|ERR_/.test(message.text());
    if (message.type() === 'error' && !isNetwork) errors.push(message.text());
  });
  const path = document === undefined ? '/' : `/d/${encodeURIComponent(document)}`;
  await page.goto(`http://127.0.0.1:${line.port}${path}?as=${person}`);
  return {
    person,
    page,
    line,
    errors,
    text: page.getByRole('textbox', { name: 'Document text' }),
    expectStatus: (status) =>
      expect(page.locator('[data-status]')).toHaveAttribute('data-status', status, { timeout: 40_000 }),
    goOffline() {
      line.refusing = true;
      line.cut();
    },
    goOnline() {
      line.refusing = false;
    },
    async close() {
      await browserContext.close();
      await line.close();
    },
  };
}

interface WorkerFixtures {
  weft: WeftServer;
}

interface TestFixtures {
  /** Opens a desk that is closed, and whose page must have had no error, when the test ends. */
  open: (person: PersonId, document?: string, context?: BrowserContextOptions) => Promise<Desk>;
  /** A new document of Ada's, opened by her alone. */
  openNew: (context?: BrowserContextOptions) => Promise<Desk>;
  /** A new document of Ada's, opened by her and by everybody who gets a role on it. */
  openTogether: <Guest extends PersonId>(roles: Record<Guest, Role>) => Promise<Together<Guest>>;
}

type Role = 'editor' | 'commenter' | 'viewer';
type Together<Guest extends PersonId> = { readonly name: string } & Record<'ada' | Guest, Desk>;

export const test = base.extend<TestFixtures, WorkerFixtures>({
  weft: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from this pattern which fixtures are needed
    async ({}, use) => {
      const server = await startDemo();
      await use(server);
      await server.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  open: async ({ weft, browser }, use) => {
    const desks: Desk[] = [];
    await use(async (person, document, context) => {
      const desk = await openDesk({
        server: weft,
        browser,
        person,
        ...(document && { document }),
        ...(context && { context }),
      });
      desks.push(desk);
      return desk;
    });
    for (const desk of desks) await desk.close();
    expect(desks.flatMap(({ person, errors }) => errors.map((error) => `${person}: ${error}`))).toEqual([]);
  },
  openNew: async ({ weft, open }, use) => {
    await use(async (context) => {
      const desk = await open('ada', await newDocument(weft), context);
      await desk.expectStatus('saved');
      return desk;
    });
  },
  openTogether: async ({ weft, open }, use) => {
    await use(async <Guest extends PersonId>(roles: Record<Guest, Role>) => {
      const name = await newDocument(weft, roles);
      const desks = { ada: await open('ada', name) } as Record<PersonId, Desk>;
      await desks.ada.expectStatus('saved');
      for (const [guest, role] of Object.entries(roles) as [Guest, Role][]) {
        desks[guest] = await open(guest, name);
        await desks[guest].expectStatus(role === 'viewer' ? 'read-only' : 'saved');
      }
      return { name, ...desks };
    });
  },
});

/** Everybody's page shows the same text, which satisfies `what`. */
export async function expectSameText(
  desks: readonly Desk[],
  what: (text: string) => boolean,
): Promise<string> {
  const texts = () => Promise.all(desks.map(({ page }) => shownText(page)));
  await until(
    async () => {
      const [first, ...others] = await texts();
      return first !== undefined && what(first) && others.every((other) => other === first);
    },
    { timeout: 15_000, what: 'the same text on every screen' },
  ).catch(async (error: unknown) => {
    throw new Error(JSON.stringify(await texts()), { cause: error });
  });
  return (await texts())[0] ?? '';
}

/** Puts `shownText` into the page, where tests read it. */
function provideShownText(): void {
  window.shownText = () => {
    const editor = document.querySelector('[aria-label="Document text"]');
    if (!editor) return '';
    // Other people's carets carry their names, which are not part of the text.
    const copy = editor.cloneNode(true) as Element;
    for (const decoration of copy.querySelectorAll('.remote-caret, .ProseMirror-widget')) decoration.remove();
    return [...copy.children].map((block) => block.textContent).join('\n');
  };
}

/** The document's own text as the page shows it. */
export const shownText = (page: Page): Promise<string> => page.evaluate(() => window.shownText());

export { expect };
