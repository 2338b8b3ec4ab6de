import { useQuery } from '@tanstack/react-query'
import { GitMerge, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Contact, MergeStory } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { useCan } from '@/shared/lib/session'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { mergesQuery } from '../queries'
import { MergeDialog } from './MergeDialog'
import css from './MergePanel.module.css'
import { UndoDialog } from './UndoDialog'

/** How this person was put together, and what can be done about it. */
export function MergePanel({ contact }: { contact: Contact }) {
  const { t } = useTranslation('identity')
  const mayWrite = useCan('contact.write')
  const merges = useQuery(mergesQuery(contact.id))
  const [merging, setMerging] = useState(false)
  const [undoing, setUndoing] = useState<MergeStory>()
  return (
    <Panel
      title={t('panel.title')}
      extra={
        mayWrite && (
          <Button size="small" icon={<GitMerge size={14} aria-hidden />} onClick={() => setMerging(true)}>
            {t('panel.merge')}
          </Button>
        )
      }
    >
      <QueryState query={merges} height={80}>
        {(stories) =>
          stories.length === 0 ? (
            <p className="kp-muted">{t('panel.none')}</p>
          ) : (
            <ol className={css.stories}>
              {stories.map((m) => (
                <Story key={m.id} story={m} onUndo={mayWrite && m.canUndo ? () => setUndoing(m) : undefined} />
              ))}
            </ol>
          )
        }
      </QueryState>
      {merging && <MergeDialog contact={contact} onClose={() => setMerging(false)} />}
      {undoing && <UndoDialog story={undoing} onClose={() => setUndoing(undefined)} />}
    </Panel>
  )
}

function Story({ story: m, onUndo }: { story: MergeStory; onUndo?: () => void }) {
  const { t } = useTranslation('identity')
  const who = m.contact.name || t(m.kind === 'visitor' ? 'story.aVisitor' : 'story.noName')
  const moved = [
    ...m.moved.identities.map((i) => `${codeText('contacts', 'identity', i.kind)} ${i.value}`),
    ...(m.moved.tags ? [t('story.tags', { count: m.moved.tags })] : []),
    ...(m.moved.notes ? [t('story.notes', { count: m.moved.notes })] : []),
  ]
  return (
    <li className={m.undoneAt ? css.undone : undefined} data-merge={m.id}>
      <p>
        <b>{m.undoneAt ? t('story.wasMerged', { who }) : t('story.merged', { who })}</b>
        <small>
          <DateTime at={m.at} /> · {how(m, t)}
        </small>
        {m.note && <small>“{m.note}”</small>}
        {moved.length > 0 && <small>{t('story.had', { what: moved.join(t('story.comma')) })}</small>}
        {m.undoneAt && (
          <small>
            {t('story.undoneBy', { who: m.undoneBy?.name ?? '' })} · <DateTime at={m.undoneAt} />
            {m.undoneNote && ` · “${m.undoneNote}”`}
          </small>
        )}
      </p>
      {onUndo && (
        <Button size="small" type="text" icon={<Undo2 size={14} aria-hidden />} aria-label={t('story.undoThis', { who })} onClick={onUndo}>
          {t('story.undo')}
        </Button>
      )}
    </li>
  )
}

/** By what the two were found to be one, in words. */
function how(m: MergeStory, t: ReturnType<typeof useTranslation<'identity'>>['t']): string {
  if (m.reason === 'manual') return t('how.manual', { who: m.by?.name ?? '' })
  if (m.reason === 'import') return t('how.import')
  const what = m.identity ? codeText('contacts', 'identity', m.identity.kind) : ''
  return t('how.fact', { what: m.identity?.value ? `${what} ${m.identity.value}` : what, event: m.fact?.title ?? '' })
}
