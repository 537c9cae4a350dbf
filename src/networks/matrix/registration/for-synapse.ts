/** How Synapse gets the registration file: what to paste, and a copy where it cannot look into the file's folder. */
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { block } from '../../../settings/questions'

const SYNAPSE_FOLDER = '/etc/matrix-synapse'
const OTHERS_ENTER = 0o001

/** Everybody can enter the folder of this file, and all above it. */
const isReachable = (path: string): boolean => {
  const folder = dirname(path)
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? OTHERS_ENTER
  return (mode & OTHERS_ENTER) !== 0 && (folder === path || isReachable(folder))
}

const copyOf = (registration: string): { path: string, command: string } | undefined => {
  if (isReachable(registration)) return undefined
  const path = `${SYNAPSE_FOLDER}/zentrale-${basename(registration)}`
  return { path, command: `install -m 640 -g matrix-synapse ${registration} ${path}` }
}

/** `registration`: an absolute path. */
export const synapseSnippet = (registration: string): string => {
  const copy = copyOf(registration)
  return `In Synapse's homeserver.yaml, then restart Synapse:

${block(`app_service_config_files:\n  - ${copy?.path ?? registration}`)}

  ${copy === undefined ? `Synapse must be able to read that file: chgrp matrix-synapse ${registration} && chmod 640 ${registration}`
    : `Synapse cannot look into ${dirname(registration)}. Give it a copy, as root: ${copy.command}`}`
}

/** What to do after a change of the file. */
export const handOver = (registration: string): string => {
  const copy = copyOf(registration)
  return copy === undefined ? 'restart the homeserver' : `give the homeserver the copy anew (as root: ${copy.command}), and restart it`
}
