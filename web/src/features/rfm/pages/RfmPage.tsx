import { useQuery } from '@tanstack/react-query'
import { Pencil, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { Rfm, RfmModel } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlText } from '@/shared/lib/url'
import { ruleEventsQuery } from '@/shared/rules/queries'
import { Button, Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Empty, QueryState } from '@/shared/ui/states'
import css from '../components/rfm.module.css'
import { ModelForm } from '../components/ModelForm'
import { RfmGrid } from '../components/RfmGrid'
import { RfmGroups, RfmTiers } from '../components/RfmGroups'
import { RfmMoves } from '../components/RfmMoves'
import { modelsQuery, rfmQuery } from '../queries'

/** What customers are worth: the grid, nine groups, four tiers, and who moved between them. */
export default function RfmPage() {
  const { t } = useTranslation('rfm')
  const mayEdit = useCan('segment.write')
  const models = useQuery(modelsQuery())
  const [chosen, setChosen] = useUrlText('model')
  const [form, setForm] = useState<'new' | 'edit'>()
  const all = models.data?.items ?? []
  const model = all.find((m) => m.id === chosen) ?? all[0]
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <>
            {all.length > 1 && model && <Select aria-label={t('model.pick')} value={model.id} style={{ minWidth: 160 }} onChange={(id) => setChosen(id ?? '')} options={all.map((m) => ({ value: m.id, label: m.name }))} />}
            {mayEdit && model && (
              <Button icon={<Pencil size={15} aria-hidden />} onClick={() => setForm('edit')}>
                {t('model.edit')}
              </Button>
            )}
            {mayEdit && (
              <Button icon={<Plus size={15} aria-hidden />} onClick={() => setForm('new')}>
                {t('model.new')}
              </Button>
            )}
          </>
        }
      />
      <QueryState query={models} height={320}>
        {() => model && <Scores model={model} />}
      </QueryState>
      {form && (
        <ModelForm
          model={form === 'edit' ? model : undefined}
          only={all.length === 1}
          onClose={() => setForm(undefined)}
          onSaved={(id) => {
            setChosen(id)
            setForm(undefined)
          }}
        />
      )}
    </Page>
  )
}

function Scores({ model }: { model: RfmModel }) {
  const { lang } = usePrefs()
  const query = useQuery(rfmQuery(model.id ?? '', lang))
  return <QueryState query={query} height={420}>{(data) => <Shown data={data} />}</QueryState>
}

function Shown({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  const go = useNavigate()
  const mayImport = useCan('import.write')
  const events = useQuery(ruleEventsQuery(lang)).data
  const event = events?.find((e) => e.name === data.model.event)?.label ?? data.model.event // as the dictionary calls it
  if (data.total.people === 0) return <Empty title={t('empty')} desc={t('emptyDesc', { event, days: data.model.days })} action={mayImport && <Button onClick={() => void go('/imports/new')}>{t('import')}</Button>} />
  return (
    <>
      <p className="kp-muted">{t('about', { event, days: data.model.days, people: formatInt(data.total.people, lang), others: formatInt(data.others, lang) })}</p>
      <RfmTiers data={data} />
      <div className={css.page}>
        <RfmGrid data={data} />
        <RfmGroups data={data} />
      </div>
      <RfmMoves data={data} />
    </>
  )
}
