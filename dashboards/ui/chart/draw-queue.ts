// Charts are drawn a few in each frame, those on the screen first, so that scrolling and typing go on meanwhile.

/** Drawing time of a frame; painting what was drawn takes about as long again. */
const BUDGET_MS = 6
/** While the page scrolls its frames have other work as well. */
const SCROLLING_BUDGET_MS = 2
const SCROLLED_LATELY_MS = 150

const waiting = new Map<Element, () => void>()
let isScheduled = false
let scrolledAtMs = Number.NEGATIVE_INFINITY
addEventListener('scroll', ({ timeStamp }) => (scrolledAtMs = timeStamp), { passive: true, capture: true })

/** Draws at one of the next frames. A later call for the same element takes the place of the earlier. */
export function enqueueDraw(element: Element, draw: () => void): void {
  waiting.set(element, draw)
  schedule()
}

export function cancelDraw(element: Element): void {
  waiting.delete(element)
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  requestAnimationFrame(drawSome)
}

function drawSome(): void {
  isScheduled = false
  const startedMs = performance.now()
  const budgetMs = startedMs - scrolledAtMs < SCROLLED_LATELY_MS ? SCROLLING_BUDGET_MS : BUDGET_MS
  for (const element of bySight([...waiting.keys()])) {
    const draw = waiting.get(element)
    waiting.delete(element)
    draw?.()
    if (performance.now() - startedMs >= budgetMs) break
  }
  if (waiting.size > 0) schedule()
}

/** From the nearest to the middle of the screen outwards. Places are read together: reading after a drawing would lay out anew. */
function bySight(elements: Element[]): Element[] {
  if (elements.length < 2) return elements
  const middle = innerHeight / 2
  const distances = new Map(
    elements.map((element) => {
      const { top, bottom } = element.getBoundingClientRect()
      return [element, Math.abs((top + bottom) / 2 - middle)]
    }),
  )
  return elements.sort((a, b) => distances.get(a)! - distances.get(b)!)
}
