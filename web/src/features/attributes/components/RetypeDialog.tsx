import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeDef, Retype } from '@/shared/api/types'
import { attributeName, ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Select } from '@/shared/ui/kit'
import { Uses } from '@/shared/ui/Uses'
import { previewRetype, startRetype } from '../queries'
import { optionsOf } from '../rows'
import { TYPES } from '../types'

/** Changes the type of an attribute: see on a sample what fails, then let a job do it. */
export function RetypeDialog({ attribute, onClose }: { attribute: AttributeDef | undefined; onClose: () => void }) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  return (
    <Dialog open={attribute !== undefined} onClose={onClose} title={attribute ? t('retype.title', { name: attributeName(attribute, lang) }) : ''} width={600}>
      {attribute && <Wizard key={attribute.key} attribute={attribute} onClose={onClose} />}
    </Dialog>
  )
}

function Wizard({ attribute, onClose }: { attribute: AttributeDef; onClose: () => void }) {
  const { t } = useTranslation('attributes')
  const client = useQueryClient()
  const toast = useToast()
  const [type, setType] = useState<AttributeDef['type']>(attribute.type === 'text' ? 'number' : 'text')
  const [choices, setChoices] = useState('')
  const [failing, setFailing] = useState<NonNullable<Retype['failing']>>('keep')
  const wantsOptions = type === 'enum' || type === 'multi'
  const body = (): Retype => ({ type, options: wantsOptions && choices ? optionsOf(choices, preview.data?.options ?? attribute.options) : undefined, failing })
  const preview = useMutation({
    mutationFn: () => previewRetype(attribute.key, body()),
    onSuccess: (p) => p.options && setChoices(p.options.map((o) => o.label).join('\n')),
    onError: (e) => toast.failed(e),
  })
  const start = useMutation({
    mutationFn: () => startRetype(attribute.key, body()),
    onSuccess: () => {
      toast.done(t('retype.started'))
      for (const wait of [500, 2000, 5000]) setTimeout(() => void client.invalidateQueries({ queryKey: ATTRIBUTES_KEY }), wait)
      onClose()
    },
    onError: (e) => toast.failed(e),
  })
  const p = preview.data
  return (
    <div className="kp-stack">
      <p className="kp-muted">{t('retype.lead')}</p>
      <div className="kp-row">
        <Select
          aria-label={t('retype.to')}
          value={type}
          options={TYPES.filter((x) => x !== attribute.type).map((x) => ({ value: x, label: t(`type.${x}`) }))}
          onChange={(x: AttributeDef['type']) => {
            setType(x)
            preview.reset()
          }}
          style={{ minWidth: 180 }}
        />
        <Button loading={preview.isPending} onClick={() => preview.mutate()}>
          {t('retype.preview')}
        </Button>
      </div>
      {wantsOptions && <Input.TextArea rows={4} value={choices} onChange={(e) => setChoices(e.target.value)} aria-label={t('field.options')} placeholder={t('retype.proposed')} />}
      {p && (
        <>
          <Alert type={p.fails > 0 ? 'warning' : 'success'} showIcon title={t('retype.counts', { sampled: p.sampled, fits: p.fits, fails: p.fails })} />
          <ul data-testid="retype-examples">
            {p.examples.map((e, i) => (
              <li key={i}>
                <code>{e.from}</code> → {e.reason ? <Chip tone="bad">{e.detail}</Chip> : <b>{e.to}</b>}
              </li>
            ))}
          </ul>
          {p.uses.length > 0 && <Alert type="info" showIcon title={t('retype.used')} description={<Uses items={p.uses} />} />}
          <div className="kp-row wrap">
            <span>{t('retype.failing')}</span>
            <Select
              aria-label={t('retype.failing')}
              value={failing}
              options={(['keep', 'drop'] as const).map((f) => ({ value: f, label: t(`retype.${f}`) }))}
              onChange={setFailing}
              style={{ minWidth: 220 }}
            />
            <Button type="primary" loading={start.isPending} onClick={() => start.mutate()}>
              {t('retype.start')}
            </Button>
          </div>
        </>
      )}
    </div>
  )
}
