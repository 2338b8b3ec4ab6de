import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { MergeStory } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { undoMerge, undoPreviewQuery } from '../queries'
import css from './MergePanel.module.css'
import { Side } from './Side'

/** Shows what goes where before a merge is undone. */
export function UndoDialog({ story, onClose }: { story: MergeStory; onClose: () => void }) {
  const { t } = useTranslation('identity')
  const client = useQueryClient()
  const toast = useToast()
  const preview = useQuery(undoPreviewQuery(story.id))
  return (
    <Dialog open onClose={onClose} title={t('undo.title')} width={640}>
      <QueryState query={preview} height={220}>
        {(p) => (
          <Form<{ reason?: string }>
            submit={t('undo.submit')}
            onSubmit={async ({ reason }) => {
              await undoMerge(story.id, reason?.trim() ?? '')
              await client.invalidateQueries({ queryKey: ['contacts'], predicate: (q) => q.queryKey[1] !== 'undo-preview' })
              void client.invalidateQueries({ queryKey: ['orders'] })
              toast.done(t('undo.done'))
              onClose()
            }}
          >
            <p className="kp-muted">{t('undo.lead')}</p>
            <div className={css.sides}>
              <Side title={t('undo.leaves')} contact={p.leaves} notes={p.notesLeave} />
              <Side title={t('undo.stays')} contact={p.stays} notes={p.notesStay} />
            </div>
            {p.othersLeave > 0 && <p className="kp-muted">{t('undo.others', { count: p.othersLeave })}</p>}
            <Field name="reason" label={t('undo.reason')}>
              <Input maxLength={500} autoFocus autoComplete="off" />
            </Field>
          </Form>
        )}
      </QueryState>
    </Dialog>
  )
}
