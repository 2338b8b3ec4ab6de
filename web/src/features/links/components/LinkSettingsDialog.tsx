import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { LinkSettings } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { readNetworks } from '../address'
import { setSettings, settingsQuery } from '../queries'

interface Values {
  ranges: string
  burst: string
}

/** How openings by programs are told apart. */
export function LinkSettingsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('links')
  const query = useQuery(settingsQuery())
  return (
    <Dialog open onClose={onClose} title={t('settings.title')} width={520}>
      <QueryState query={query} height={240}>
        {(settings) => <Editor settings={settings} onClose={onClose} />}
      </QueryState>
    </Dialog>
  )
}

function Editor({ settings, onClose }: { settings: LinkSettings; onClose: () => void }) {
  const { t } = useTranslation(['links', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  return (
    <>
      <p className="kp-muted">{t('settings.desc')}</p>
      <Form<Values>
        submit={t('common:action.save')}
        initial={{ ranges: settings.networks.join('\n'), burst: String(settings.burst) }}
        onSubmit={async (v) => {
          await setSettings({ networks: readNetworks(v.ranges), burst: Number(v.burst) })
          await client.invalidateQueries({ queryKey: ['links', 'settings'] })
          toast.done(t('settings.saved'))
          onClose()
        }}
      >
        <Field name="burst" label={t('settings.burst')}>
          <Input type="number" min={3} max={1000} />
        </Field>
        <Field name="ranges" label={t('settings.networks')} extra={t('settings.networksHint')}>
          <Input.TextArea rows={5} />
        </Field>
      </Form>
    </>
  )
}
