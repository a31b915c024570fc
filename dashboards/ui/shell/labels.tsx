import type { JSX } from 'preact'
import type { LabelSet } from '../../model/frame.ts'

interface Props {
  labels: LabelSet
  /** Names that are shown elsewhere. */
  without?: readonly string[]
  onPick?: (name: string, value: string) => void
}

/** Labels as small tags, sorted by name. */
export function Labels({ labels, without = [], onPick }: Props): JSX.Element {
  const names = Object.keys(labels)
    .filter((name) => !without.includes(name))
    .sort()
  return (
    <span class="labels">
      {names.map((name) => {
        const content = (
          <>
            <span class="label-name">{name}=</span>
            {labels[name]}
          </>
        )
        return onPick === undefined ? (
          <span key={name} class="label">
            {content}
          </span>
        ) : (
          <button
            key={name}
            type="button"
            class="label"
            title="Filter by this label"
            onClick={() => onPick(name, labels[name]!)}
          >
            {content}
          </button>
        )
      })}
    </span>
  )
}
