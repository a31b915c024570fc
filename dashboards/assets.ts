import { readFile } from 'node:fs/promises'

/**
 * Folder of the built browser files, with a trailing slash: `index.html`, and below `assets/` names that change with their
 * content. The same for sources and for the build, both of which lie in the package.
 */
export function uiAssetsDir(): URL {
  const builtAlready = import.meta.url.endsWith('.js')
  return new URL(builtAlready ? './ui/' : '../dist/dashboards/ui/', import.meta.url)
}

/**
 * The page for every address of the user interface. Addresses have any depth, so the relative links of the built page are
 * made absolute here; scripts find the prefix by their own address.
 *
 * @param routePrefix `''` or a path such as `/metrics-ui`, without a trailing slash
 * @param assetsDir where a build of another place lies, with a trailing slash
 */
export async function uiIndexHtml(routePrefix: string, assetsDir: URL = uiAssetsDir()): Promise<string> {
  const html = await readFile(new URL('index.html', assetsDir), 'utf8')
  return html.replaceAll(/(src|href)="\.\//g, (_, name: string) => `${name}="${routePrefix}/`)
}

/**
 * What the pages need, and nothing else. No script or style from elsewhere or inline, no request to another origin.
 */
export const uiContentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'self'",
  "form-action 'self'",
  "require-trusted-types-for 'script'",
].join('; ')
