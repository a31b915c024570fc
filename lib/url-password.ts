/**
 * A text as it may be shown: where it is a URL with a password, that is `xxxxx`, as Go prints it. Whoever may look at a
 * configuration need not know the password of a proxy. The last `@` in front of the path ends it.
 */
export const withoutUrlPassword = (text: string): string =>
  text.replace(/^([\w.+-]+:\/\/[^/?#:@\s]*:)[^/?#\s]+@/, '$1xxxxx@')
