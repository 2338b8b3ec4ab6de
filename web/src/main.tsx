import { createRoot } from 'react-dom/client'
import './shared/ui/styles/index.css'
import { App } from './app/App'
import { makeRouter } from './app/router'
import { makeQueryClient } from './shared/api/query'
import { initI18n } from './shared/i18n/i18n'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

// Words, page code and session are fetched side by side; drawing waits for the words alone.
const words = initI18n()
const client = makeQueryClient()
const router = makeRouter(client)
void words.then((lang) => createRoot(root).render(<App initialLang={lang} client={client} router={router} />))
