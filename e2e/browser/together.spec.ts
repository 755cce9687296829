import { openSession, type WeftServer } from '@weft/harness';
import * as Y from 'yjs';
import { expect, expectSameText, newDocument, test, tokenOf } from './desk.ts';

test('P9.3 P9.17 two people write at once, see each other’s carets, and end with the same text', async ({
  openTogether,
}) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  await ada.text.pressSequentially('The first line.');
  await ada.page.keyboard.press('Enter');
  await expect(grace.text).toContainText('The first line.');
  await grace.text.click();
  await grace.page.keyboard.press('Control+End');

  await Promise.all([
    ada.text.pressSequentially('Ada writes about the warp, thread after thread. ', { delay: 15 }),
    grace.text.pressSequentially('Grace writes about the weft, line after line. ', { delay: 15 }),
  ]);

  const text = await expectSameText([ada, grace], (shown) => {
    const letters = (of: string) => [...shown].filter((letter) => of.includes(letter)).length;
    return letters('w') >= 'writes warp writes weft'.split('w').length - 1 && shown.length >= 100;
  });
  expect(text).toContain('The first line.');
  const graceName = ada.page.locator('.remote-caret__label[data-name="Grace"]');
  await grace.page.keyboard.press('ArrowLeft');
  await expect(graceName).toHaveCSS('opacity', '1');
  await expect(grace.page.locator('.remote-caret__label[data-name="Ada"]')).toBeAttached();
  await ada.expectStatus('saved');
  await grace.expectStatus('saved');
  await expect(graceName).toHaveCSS('opacity', '0');
  await ada.page.locator('.remote-caret').hover({ force: true, position: { x: 1, y: 0 } });
  await expect(graceName).toHaveCSS('opacity', '1');
});

test('P9.17 a caret is seen on a light and on a dark page, whatever colour its person has', async ({
  weft,
  openTogether,
}) => {
  const { name, ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.pressSequentially('A thread.');
  const caret = ada.page.locator('.remote-caret');
  for (const { scheme, color } of [
    { scheme: 'light', color: '#ffffff' },
    { scheme: 'light', color: '#ffee00' },
    { scheme: 'dark', color: '#000000' },
  ] as const) {
    const token = await tokenOf(weft, { sub: 'grace', color });
    await grace.page.goto('about:blank');
    await grace.page.goto(`http://127.0.0.1:${grace.line.port}/d/${name}#token=${token}`);
    await grace.text.click();
    await ada.page.emulateMedia({ colorScheme: scheme });
    await expect(caret).toHaveCSS('--person', color);
    expect(await caret.evaluate(contrastOfCaret), `${color} on a ${scheme} page`).toBeGreaterThan(3);
  }
});

/** Between a caret and the page, as https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio has it. */
function contrastOfCaret(caret: Element): number {
  const context = document.createElement('canvas').getContext('2d');
  const luminance = (color: string): number => {
    if (!context) throw new Error('no canvas');
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = [...context.getImageData(0, 0, 1, 1).data].map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = caret.closest('.page') ?? document.body;
  const [light = 0, dark = 0] = [
    getComputedStyle(caret).borderLeftColor,
    getComputedStyle(page).backgroundColor,
  ]
    .map(luminance)
    .sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}

test('P9.4 three people with avatars; who leaves is gone from the others’ screens at once', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft, { grace: 'editor', mira: 'editor' });
  const [ada, grace, mira] = [await open('ada', name), await open('grace', name), await open('mira', name)];
  const peopleOf = (desk: typeof ada) => desk.page.getByRole('list', { name: 'People here' });
  for (const person of ['Grace', 'Mira']) {
    await expect(peopleOf(ada).getByRole('button', { name: person })).toBeVisible();
  }
  await expect(peopleOf(mira).getByRole('button')).toHaveCount(2);

  await Promise.all(
    [ada, grace, mira].map(async ({ text, person }) => {
      await text.click();
      for (let line = 1; line <= 3; line++) {
        await text.pressSequentially(`${person}${line} `, { delay: 10 });
        await text.press('Enter');
      }
    }),
  );
  await expectSameText([ada, grace, mira], (shown) => shown.replace(/\W/g, '').length >= 45);

  await mira.page.goto('about:blank');
  await expect(peopleOf(ada).getByRole('button', { name: 'Mira' })).toBeHidden({ timeout: 2_000 });
  await expect(peopleOf(grace).getByRole('button')).toHaveCount(1);
});

test('P9.5 marks, headings, lists and a task survive the way to another screen and a reload', async ({
  openTogether,
}) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  const keys = ada.page.keyboard;
  await keys.press('Control+Alt+1');
  await keys.type('Weaving');
  await keys.press('Enter');
  await keys.type('plain ');
  await keys.press('Control+b');
  await keys.type('bold');
  await keys.press('Control+b');
  await keys.press('Enter');
  await keys.press('Control+Shift+8');
  await keys.type('one');
  await keys.press('Enter');
  await keys.type('two');
  await keys.press('Enter');
  await keys.press('Enter');
  await keys.press('Control+Shift+9');
  await keys.type('thread the loom');
  await ada.expectStatus('saved');

  const expectAll = async (text: typeof ada.text) => {
    await expect(text.getByRole('heading', { level: 1, name: 'Weaving' })).toBeVisible();
    await expect(text.locator('strong', { hasText: 'bold' })).toBeVisible();
    await expect(text.getByRole('listitem').filter({ hasText: /^(one|two)$/ })).toHaveCount(2);
    await expect(text.getByRole('checkbox')).not.toBeChecked();
  };
  await expectAll(grace.text);
  await grace.text.getByRole('checkbox').check();
  await expect(ada.text.getByRole('checkbox')).toBeChecked();
  // Her caret now stands in the heading, and is no part of it.
  await grace.text.getByRole('heading').click();
  await ada.page.reload();
  await expect(ada.text.getByRole('checkbox')).toBeChecked();
  await expect(ada.text.getByRole('heading', { level: 1, name: 'Weaving' })).toBeVisible();
});

/** What another program, in the name of Ada, has of the text. */
async function openProgram(weft: WeftServer, name: string) {
  const program = openSession({ url: weft.wsUrl, name, token: await tokenOf(weft, { sub: 'ada' }) });
  await program.opened();
  return { program, content: program.document.getXmlFragment('default') };
}

test('P9.32 what another program put into the document stays, and keeps neither reader nor writer out', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft, { grace: 'viewer' });
  const { program, content } = await openProgram(weft, name);
  const paragraph = (words: string, format: object): Y.XmlElement => {
    const [element, text] = [new Y.XmlElement('paragraph'), new Y.XmlText()];
    text.insert(0, words, format);
    element.insert(0, [text]);
    return element;
  };
  const video = new Y.XmlElement('video');
  video.setAttribute('src', 'loom');
  program.document.transact(() =>
    content.push([
      new Y.XmlElement('image'),
      paragraph('lit', { highlight: { color: 'gold' } }),
      video,
      paragraph('odd', { link: { href: 5 } }),
      paragraph('bad', { link: { href: 'javascript:alert(1)' } }),
      paragraph('dressed', { link: { href: 'https://example.com', class: 'topbar', rel: 'opener' } }),
    ]),
  );
  await program.saved();

  const grace = await open('grace', name);
  await grace.expectStatus('read-only');
  await expect(grace.text.getByRole('img', { name: 'Not shown by this editor (image)' })).toBeVisible();
  const ada = await open('ada', name);
  await ada.expectStatus('saved');
  await expect(ada.text.getByText('bad')).toHaveAttribute('href', '');
  await expect(ada.text.getByText('dressed')).toHaveAttribute('rel', 'noopener noreferrer nofollow');
  await expect(ada.text.getByText('dressed')).not.toHaveClass('topbar');
  await ada.text.getByText('lit').click();
  await ada.page.keyboard.press('End');
  await ada.page.keyboard.type(' up');
  await expect(grace.text.getByText('lit up')).toBeVisible();
  await grace.expectStatus('read-only');
  await ada.expectStatus('saved');
  expect(content.toJSON()).toMatch(/^<image><.image><paragraph><highlight color="gold">lit up</);
  await ada.page.keyboard.press('Control+a');
  await ada.page.keyboard.press('Control+b');
  await expect(grace.text.locator('strong', { hasText: 'dressed' })).toBeVisible();
  expect(content.toJSON()).toContain('<video src="loom"></video>');
  program.close();
});

test('P9.33 what cannot stand in the text is said, kept until a writer removes it, and keeps nobody from reading', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft, { grace: 'viewer' });
  const { program, content } = await openProgram(weft, name);
  const ada = await open('ada', name);
  const grace = await open('grace', name);
  await ada.text.click();
  await ada.text.pressSequentially('Warp');
  await expect(grace.text).toContainText('Warp');
  const notice = /^Another program wrote something into this text that this editor cannot show/;

  // Yjs has no class for it on the wire: any program can put it there.
  Y.Array.prototype.insert.call(content, 0, [new Y.Map(), 5]);
  for (const { page, text } of [ada, grace]) {
    await expect(page.getByText(notice)).toBeVisible();
    await expect(text).toHaveText('Warp');
    await expect(text).toHaveAttribute('aria-readonly', 'true');
  }
  await expect(grace.page.getByRole('button', { name: 'Remove it…' })).toHaveCount(0);
  await ada.page.reload();
  await expect(ada.page.getByText(notice)).toBeVisible();
  await ada.text.click();
  await ada.page.keyboard.type('nothing');
  (content.get(2) as Y.XmlElement).insert(1, [new Y.XmlText(' and weft')]);
  await expect(ada.text).toHaveText('Warp and weft');
  expect(content.length).toBe(3);

  await ada.page.getByRole('button', { name: 'Remove it…' }).click();
  await ada.page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(ada.page.getByText(notice)).toHaveCount(0);
  await expect(grace.page.getByText(notice)).toHaveCount(0);
  await ada.text.click();
  await ada.page.keyboard.press('End');
  await ada.page.keyboard.type(' again');
  await expect(grace.text).toHaveText('Warp and weft again');
  await ada.expectStatus('saved');
  await grace.expectStatus('read-only');
  expect(content.length).toBe(1);
  program.close();
});

test('P9.6 undo takes back one’s own edits and nobody else’s', async ({ openTogether }) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  await ada.text.pressSequentially('Warp.');
  await expect(grace.text).toContainText('Warp.');
  await grace.text.click();
  await grace.page.keyboard.press('Control+Home');
  await grace.text.pressSequentially('Cloth, ');
  await expect(ada.text).toContainText('Cloth, Warp.');
  await ada.text.press('Control+z');
  await expectSameText([ada, grace], (shown) => shown.includes('Cloth,') && !shown.includes('Warp.'));
});

test('P9.26 an avatar leads to its person’s caret, and says when there is none', async ({ openTogether }) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  for (let line = 1; line <= 60; line++) {
    await ada.page.keyboard.insertText(`Line ${line}`);
    await ada.page.keyboard.press('Enter');
  }
  await ada.page.keyboard.press('Control+Home');
  await expect(grace.text).toContainText('Line 60');
  const avatar = ada.page.getByRole('list', { name: 'People here' }).getByRole('button');
  await expect(avatar).toHaveAccessibleName('Grace, without a caret in the text');
  await avatar.press('Enter');
  await expect(ada.page.getByText('Grace is here, but has no caret in the text.')).toBeVisible();

  await grace.text.getByText('Line 60').click();
  await expect(avatar).toHaveAccessibleName('Grace: go to their caret');
  const caret = ada.text.locator('.remote-caret[data-person=grace]');
  await expect(caret).not.toBeInViewport();
  await avatar.press('Enter');
  await expect(caret).toBeInViewport();
  await expect(caret).not.toHaveCSS('box-shadow', 'none');
  await expect(caret.locator('.remote-caret__label')).toHaveCSS('opacity', '1');
  await expect(avatar).toBeFocused();
  await expect(caret).toHaveCSS('box-shadow', 'none');
  await ada.text.press('ArrowDown');
  expect(await ada.page.evaluate(() => getSelection()?.anchorNode?.textContent)).toBe('Line 2');
});

test('P9.26 of somebody on two devices the caret that moved last is gone to', async ({
  openTogether,
  open,
}) => {
  const { name, ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  for (let line = 1; line <= 60; line++) {
    await ada.page.keyboard.insertText(`Line ${line}`);
    await ada.page.keyboard.press('Enter');
  }
  await ada.page.keyboard.press('Control+Home');
  const other = await open('grace', name);
  await expect(other.text).toContainText('Line 60');
  await grace.text.getByText('Line 58').click();
  await other.text.getByText('Line 2', { exact: true }).click();
  const carets = ada.text.locator('.remote-caret[data-person=grace]');
  await expect(carets).toHaveCount(2);
  const avatar = ada.page.getByRole('list', { name: 'People here' }).getByRole('button');
  await avatar.click();
  await expect(carets.first()).not.toHaveCSS('box-shadow', 'none');
  await grace.page.keyboard.press('ArrowDown');
  await expect(ada.text.getByText('Line 59').locator('.remote-caret')).toBeAttached();
  await avatar.click();
  await expect(carets.last()).toBeInViewport();
  await expect(carets.last()).not.toHaveCSS('box-shadow', 'none');
});

test('P9.29 what somebody writes or reads stays in its place while others write above', async ({
  openTogether,
}) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  for (let line = 1; line <= 60; line++) {
    await ada.page.keyboard.insertText(`Line ${line}`);
    await ada.page.keyboard.press('Enter');
  }
  await expect(grace.text).toContainText('Line 60');
  const line40 = grace.text.getByText('Line 40');
  await line40.click();
  const topOf = async (line: typeof line40) => Math.round((await line.boundingBox())?.y ?? -1);
  const writeAbove = async (words: string) => {
    await ada.page.keyboard.press('Control+Home');
    await ada.page.keyboard.type(`${words}\n${words}\n${words}\n`);
    await expect(grace.text.getByText(words)).toHaveCount(3);
    // To the last line's end.
    await expect(grace.text.locator('p')).toHaveCount(await ada.text.locator('p').count());
  };
  const atCaret = await topOf(line40);
  await writeAbove('while she writes');
  expect(Math.abs((await topOf(line40)) - atCaret)).toBeLessThanOrEqual(1);

  // She reads on, her caret far below.
  await grace.text.hover();
  // The wheel rolls on for a moment.
  const rolled = await grace.page.locator('.desk').evaluateHandle((desk) => ({
    out: new Promise((resolve) => desk.addEventListener('scrollend', resolve)),
  }));
  await grace.page.mouse.wheel(0, -900);
  await rolled.evaluate(({ out }) => out.then(() => undefined));
  await expect(line40).not.toBeInViewport();
  const line20 = grace.text.getByText('Line 20');
  const inSight = await topOf(line20);
  await writeAbove('while she reads');
  expect(Math.abs((await topOf(line20)) - inSight)).toBeLessThanOrEqual(1);
});
