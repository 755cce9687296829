import { createDatabase, startPostgres } from '@weft/harness';
import { expect, newDocument, openDesk, startDemo, test } from './desk.ts';

test('P1.24 while the database is away the page says that nothing is saved, and goes on by itself', async ({
  browser,
}) => {
  const postgres = await startPostgres();
  const server = await startDemo({ databaseUrl: await createDatabase(postgres.url) });
  const ada = await openDesk({ server, browser, person: 'ada', document: await newDocument(server) });
  try {
    await ada.expectStatus('saved');
    await ada.text.click();
    await ada.text.pressSequentially('before, ');
    await ada.expectStatus('saved');
    await postgres.stop();
    await ada.text.pressSequentially('meanwhile, ');
    await ada.expectStatus('saving');
    await ada.expectStatus('not-saved');
    const status = ada.page.getByRole('status').first();
    await expect(status).toContainText(
      'the server can’t save at the moment, your changes are kept on this device',
    );
    await ada.text.pressSequentially('and on.');
    await ada.expectStatus('not-saved');
    await postgres.start();
    await ada.expectStatus('saved');
    await ada.page.reload();
    await ada.expectStatus('saved');
    await expect(ada.text).toHaveText('before, meanwhile, and on.');
  } finally {
    await ada.close();
    await server.remove();
    await postgres.remove();
  }
});

test('P1.19 P7.28 what is too large for the document, or for once, is handed back, and one can go on', async ({
  browser,
}) => {
  const server = await startDemo({ env: { WEFT_MAX_DOCUMENT: '20KiB', WEFT_MAX_FRAME: '20KiB' } });
  const ada = await openDesk({ server, browser, person: 'ada', document: await newDocument(server) });
  const refused = async (text: string, reason: string) => {
    await ada.page.keyboard.insertText(text);
    const dialog = ada.page.getByRole('dialog', { name: 'Your unsaved text' });
    await expect(dialog).toContainText(reason);
    expect(await dialog.getByRole('textbox').inputValue()).toContain(text);
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await expect(dialog).toBeHidden();
    await ada.expectStatus('saved');
    await expect(ada.text).not.toContainText('Too much');
    await ada.text.click();
  };
  try {
    await ada.expectStatus('saved');
    await ada.text.click();
    await ada.page.keyboard.insertText('What fits.'.repeat(1_000));
    await ada.page.keyboard.press('Enter');
    await ada.expectStatus('saved');
    await refused(
      'Too much for it.'.repeat(1_000),
      'Delete what is no longer needed, or go on in a new document.',
    );
    await refused('Too much at once.'.repeat(2_000), 'Insert it in smaller parts.');
    await ada.page.keyboard.type('And on.');
    await ada.expectStatus('saved');
    await expect(ada.text).toContainText('And on.');
  } finally {
    await ada.close();
    await server.remove();
  }
});
