import type { JSX } from 'preact'

/** Stroke paths on a 16 × 16 grid. */
const PATHS = {
  chevron: 'M6 4l4 4-4 4',
  info: 'M8 7.2v4M8 4.8v.1M14 8A6 6 0 112 8a6 6 0 0112 0z',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 6.5v6',
  expand: 'M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5l-4.5 4.5M2.5 13.5L7 9',
  shrink: 'M13 7H9V3M3 9h4v4M9 7l4.5-4.5M7 9l-4.5 4.5',
  query: 'M5 4L2 8l3 4M11 4l3 4-3 4',
  warning: 'M8 2.5l6.2 11H1.8zM8 6.5v3.2M8 11.6v.1',
  clock: 'M14 8A6 6 0 112 8a6 6 0 0112 0zM8 4.5V8l2.5 1.5',
  refresh: 'M13 8a5 5 0 11-1.6-3.7M13 2.5v2.3h-2.3',
  zoomOut: 'M11.5 7A4.5 4.5 0 112.5 7a4.5 4.5 0 019 0zM10.3 10.3l3.4 3.4M5 7h4',
  sun: 'M8 5a3 3 0 100 6 3 3 0 000-6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13 9.5A5.5 5.5 0 016.5 3a5.5 5.5 0 106.5 6.5z',
  auto: 'M8 2.5v11M8 2.5a5.5 5.5 0 010 11M8 2.5a5.5 5.5 0 000 11',
  search: 'M11.5 7A4.5 4.5 0 112.5 7a4.5 4.5 0 019 0zM10.3 10.3l3.4 3.4',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  bell: 'M8 2a4 4 0 00-4 4c0 4-1.5 5-1.5 5h11S12 10 12 6a4 4 0 00-4-4zM6.7 13.5a1.4 1.4 0 002.6 0',
  mute: 'M3 3l10 10M5 5a4 4 0 00-1 2.5C4 10 2.5 11 2.5 11H11M6.5 2.5A4 4 0 0112 6c0 1.5.2 2.6.5 3.4M6.7 13.5a1.4 1.4 0 002.6 0',
  edit: 'M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.5 4.3l2.2 2.2',
  star: 'M8 2l1.8 3.8 4.2.5-3.1 2.8.8 4.1L8 11.2l-3.7 2 .8-4.1L2 6.3l4.2-.5z',
  external: 'M6 3.5H3v9.5h9.5V10M9 2.5h4.5V7M13.5 2.5L7.5 8.5',
} as const
export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
