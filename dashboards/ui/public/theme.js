// Runs before the first paint, so that a chosen theme does not flash. Kept apart because inline scripts are forbidden.
try {
  const theme = localStorage.getItem('belltower.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage may be denied; the system's theme is used then.
}
