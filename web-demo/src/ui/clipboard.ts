/** @throws where the browser does not allow it, or has no clipboard for the page, as for one that came by plain HTTP */
export async function copyText(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
