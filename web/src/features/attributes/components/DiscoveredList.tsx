import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { AttributeDef, AttributeList } from '@/shared/api/types'
import { ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { Chip } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Count } from '@/shared/ui/values'
import { createAttribute } from '../queries'
import css from '../pages/AttributesPage.module.css'

type Found = AttributeList['discovered'][number]

/** What events and imports brought and nobody defined: one click makes it an attribute. */
export function DiscoveredList({ list, may, onAdopted }: { list: AttributeList; may: boolean; onAdopted: (a: AttributeDef) => void }) {
  const { t } = useTranslation('attributes')
  const client = useQueryClient()
  const toast = useToast()
  const adopt = useMutation({
    // Choices need options, which the change of type proposes: until then they are text.
    mutationFn: (d: Found) =>
      createAttribute({
        key: d.key,
        nameZh: d.key,
        type: d.guess === 'enum' || d.guess === 'multi' ? 'text' : d.guess,
        indexed: list.items.filter((a) => a.indexed && !a.archived).length < 30,
        personal: d.sealed ? 'sensitive' : 'none',
      }),
    onSuccess: (a) => {
      void client.invalidateQueries({ queryKey: ATTRIBUTES_KEY })
      toast.done(t('discovered.done', { key: a.key }))
      onAdopted(a)
    },
    onError: (e) => toast.failed(e),
  })
  if (list.discovered.length === 0) return null
  return (
    <Panel title={t('discovered.title')} desc={t('discovered.desc')} flush>
      <div className={css.scroll}>
        <table className={css.table}>
          <tbody>
            {list.discovered.map((d) => (
              <tr key={d.key}>
                <td>
                  <code>{d.key}</code>
                </td>
                <td>{t('discovered.guess', { type: t(`type.${d.guess}`) })}</td>
                <td>
                  <Count value={d.people} />
                </td>
                <td>
                  <span className="kp-row wrap">{d.sealed ? <Chip tone="warn">{t('class.sensitive')}</Chip> : d.samples.map((s) => <Chip key={s}>{s}</Chip>)}</span>
                </td>
                <td>
                  {may && (
                    <Button size="small" loading={adopt.isPending && adopt.variables.key === d.key} onClick={() => adopt.mutate(d)}>
                      {t('discovered.adopt')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
