import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeDef, AttributeMerge } from '@/shared/api/types'
import { attributeName, ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { mergeAttribute, mergePreviewQuery } from '../queries'
import { mergeTargets } from '../changes'

type Wins = NonNullable<AttributeMerge['wins']>

interface Props {
  attribute: AttributeDef | undefined
  all: readonly AttributeDef[]
  onClose: () => void
  onStart: () => void
}

/** Makes one attribute part of another, after showing what becomes of the values. */
export function MergeDialog({ attribute, all, onClose, onStart }: Props) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  return (
    <Dialog open={attribute !== undefined} onClose={onClose} title={attribute ? t('merge.title', { name: attributeName(attribute, lang) }) : ''} width={600}>
      {attribute && <Merging key={attribute.key} attribute={attribute} all={all} onClose={onClose} onStart={onStart} />}
    </Dialog>
  )
}

function Merging({ attribute, all, onClose, onStart }: Props & { attribute: AttributeDef }) {
  const { t } = useTranslation(['attributes', 'common'])
  const { lang } = usePrefs()
  const say = useErrorText()
  const client = useQueryClient()
  const [into, setInto] = useState('')
  const [wins, setWins] = useState<Wins>('later')
  const { data: p, error, isFetching } = useQuery({ ...mergePreviewQuery(attribute.key, { into, wins }), retry: false })
  const run = useMutation({
    mutationFn: () => mergeAttribute(attribute.key, { into, wins }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ATTRIBUTES_KEY })
      onStart()
    },
  })
  const wrong = run.error ?? error
  return (
    <div className="kp-stack">
      <p className="kp-muted">{t('merge.lead')}</p>
      <Select
        aria-label={t('merge.target')}
        placeholder={t('merge.target')}
        value={into || undefined}
        showSearch={{ optionFilterProp: 'label' }}
        options={mergeTargets(attribute, all).map((a) => ({ value: a.key, label: `${attributeName(a, lang)} · ${t(`type.${a.type}`)}` }))}
        onChange={setInto}
      />
      <div className="kp-row wrap">
        <span>{t('merge.wins')}</span>
        <Select aria-label={t('merge.wins')} value={wins} options={(['later', 'from', 'into'] as const).map((w) => ({ value: w, label: t(`merge.${w}`) }))} onChange={setWins} style={{ minWidth: 260 }} />
      </div>
      {p && (
        <div role="status" className="kp-stack">
          <Alert
            type={p.unfit > 0 ? 'warning' : 'info'}
            showIcon
            title={t('merge.have', { count: p.have })}
            description={
              [p.both > 0 && t('merge.both', { count: p.both }), p.replaced > 0 && t('merge.replaced', { count: p.replaced }), p.unfit > 0 && t('merge.unfit', { count: p.unfit }), !p.whole && t('merge.partly', { count: p.looked })]
                .filter(Boolean)
                .join(' ') || undefined
            }
          />
          {p.examples.length > 0 && (
            <ul data-testid="merge-examples" className="kp-uses">
              {p.examples.map((e, i) => (
                <li key={i}>
                  <code>{e.from}</code> {e.into && <small className="kp-muted">{t('merge.besides', { value: e.into })}</small>} → {e.reason ? <Chip tone="bad">{e.reason}</Chip> : <b>{e.result}</b>}
                </li>
              ))}
            </ul>
          )}
          {p.uses.length > 0 && <Alert type="info" showIcon title={t('merge.used')} description={<Uses items={p.uses} />} />}
        </div>
      )}
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className="kp-row" style={{ justifyContent: 'flex-end' }}>
        <Button onClick={onClose}>{t('common:action.cancel')}</Button>
        <Button type="primary" disabled={!p || isFetching || (p.have > 0 && p.unfit === p.have)} loading={run.isPending} onClick={() => run.mutate()}>
          {t('merge.ok')}
        </Button>
      </div>
    </div>
  )
}
