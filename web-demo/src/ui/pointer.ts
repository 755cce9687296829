/** Without one there is a keyboard on the screen, which comes up over the page wherever the focus goes. */
export function hasFinePointer(): boolean {
  return matchMedia('(pointer: fine)').matches;
}
