import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeDef } from '@/shared/api/types'
import { attributeName, ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { Count } from '@/shared/ui/values'
import { changesOf, NONE, RETIRE, retiredOf, STAY, targetsOf, type Fate } from '../changes'
import css from '../pages/AttributesPage.module.css'
import { optionsPreviewQuery, remapOptions, updateAttribute } from '../queries'

interface Props {
  attribute: AttributeDef | undefined
  onClose: () => void
  onStart: () => void
}

/** What becomes of each option: it stays, is no longer offered, or another takes its place. */
export function OptionsDialog({ attribute, onClose, onStart }: Props) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  return (
    <Dialog open={attribute !== undefined} onClose={onClose} title={attribute ? t('options.title', { name: attributeName(attribute, lang) }) : ''} width={680}>
      {attribute && <Options key={attribute.key} attribute={attribute} onClose={onClose} onStart={onStart} />}
    </Dialog>
  )
}

function Options({ attribute, onClose, onStart }: Props & { attribute: AttributeDef }) {
  const { t } = useTranslation(['attributes', 'common'])
  const say = useErrorText()
  const client = useQueryClient()
  const options = attribute.options ?? []
  const [fates, setFates] = useState<Record<string, Fate>>(() => Object.fromEntries(options.map((o) => [o.id, o.retired ? RETIRE : STAY])))
  const changes = changesOf(fates)
  const retired = retiredOf(options, fates)
  const { data: p, error } = useQuery({ ...optionsPreviewQuery(attribute.key, changes), retry: false, placeholderData: (old) => old })
  const run = useMutation({
    mutationFn: async () => {
      if (retired) await updateAttribute(attribute.key, { options: retired })
      if (changes.length > 0) await remapOptions(attribute.key, changes)
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ATTRIBUTES_KEY })
      if (changes.length > 0) onStart()
      else onClose()
    },
  })
  const gone = new Set(changes.map((c) => c.option))
  const asked = (p?.options ?? []).filter((o) => gone.has(o.id)).flatMap((o) => o.uses)
  const wrong = run.error ?? error
  return (
    <div className="kp-stack">
      <p className="kp-muted">{t('options.lead')}</p>
      <div className={css.scroll}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>{t('options.option')}</th>
              <th>{t('options.people')}</th>
              <th>{t('options.becomes')}</th>
            </tr>
          </thead>
          <tbody>
            {options.map((o) => (
              <tr key={o.id} data-option={o.id}>
                <td>
                  {o.label} {o.retired && <Chip>{t('options.retired')}</Chip>}
                </td>
                <td className="kp-num">
                  <Count value={p?.options.find((x) => x.id === o.id)?.people ?? 0} />
                </td>
                <td>
                  <Select
                    aria-label={t('options.becomesOf', { name: o.label })}
                    value={fates[o.id] ?? STAY}
                    options={[
                      { value: STAY, label: t('options.stay') },
                      { value: RETIRE, label: t('options.retire') },
                      ...targetsOf(options, fates, o.id).map((x) => ({ value: x.id, label: t('options.into', { name: x.label }) })),
                      { value: NONE, label: t('options.none') },
                    ]}
                    onChange={(f: Fate) => setFates((was) => ({ ...was, [o.id]: f }))}
                    style={{ minWidth: 220, width: '100%' }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {p && changes.length > 0 && (
        <Alert
          role="status"
          type={p.emptied > 0 ? 'warning' : 'info'}
          showIcon
          title={t('options.changing', { count: p.changing })}
          description={[p.emptied > 0 && t('options.emptied', { count: p.emptied }), !p.whole && t('merge.partly', { count: p.looked })].filter(Boolean).join(' ') || undefined}
        />
      )}
      {asked.length > 0 && <Alert type="info" showIcon title={t('options.used')} description={<Uses items={asked.filter((u, i) => asked.findIndex((x) => x.id === u.id && x.name === u.name) === i)} />} />}
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className="kp-row" style={{ justifyContent: 'flex-end' }}>
        <Button onClick={onClose}>{t('common:action.cancel')}</Button>
        <Button type="primary" disabled={changes.length === 0 && !retired} loading={run.isPending} onClick={() => run.mutate()}>
          {t('options.ok')}
        </Button>
      </div>
    </div>
  )
}
