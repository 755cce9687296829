/* global document, localStorage */
// Runs before the first paint: a chosen theme must not flash the other one.
try {
  const theme = localStorage.getItem('weft.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's preference applies.
}
