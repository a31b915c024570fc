// The browser's storage, for what is a matter of taste or habit; the address holds everything else.

/** What was stored, or `undefined` where nothing was or the browser denies storage. */
export function readStorage(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function writeStorage(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
