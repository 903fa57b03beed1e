/** Where and as whom an agent asks. */
export interface Access {
  /** http://127.0.0.1:PORT, without `/v1` */
  readonly origin: string
  readonly key: string
  readonly model: string
}

/** A coding agent, run headless. */
export interface Agent {
  readonly name: string
  /** What npm installs. Where it is a program of its own, the package of this machine's kind. */
  readonly spec: string
  /** Which program that brings, from the folder of the packages. */
  readonly program: string
  /** A script for Node, and no program of its own. */
  readonly isScript?: true
  /** The tool that runs a command, and its arguments. */
  call(command: string): { readonly name: string; readonly arguments: object }
  /** Files in its home, by their paths. */
  files?(access: Access): Readonly<Record<string, string>>
  /** Which environment it wants besides `HOME` and `PATH`. */
  env(access: Access, home: string): Readonly<Record<string, string>>
  /** Command lines that are run before, in order. */
  before?(access: Access): readonly (readonly string[])[]
  args(access: Access, prompt: string): readonly string[]
  /** The prompt comes on standard input, and not in `args`. */
  readonly readsPrompt?: true
}

const PLATFORM = `${process.platform}-${process.arch}`

/** So that whatever it would look up elsewhere fails at once. */
const NO_WAY_OUT = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1,localhost' }

const codex: Agent = {
  name: 'codex',
  spec: `npm:@openai/codex@0.169.0-${PLATFORM}`,
  program: `agent/vendor/x86_64-unknown-linux-musl/bin/codex`,
  call: command => ({ name: 'exec_command', arguments: { cmd: command } }),
  files: ({ origin }) => ({
    '.codex/config.toml': `
model_provider = "millrace"
check_for_update_on_startup = false
analytics.enabled = false

[features]
plugins = false
apps = false

[model_providers.millrace]
name = "Millrace"
base_url = "${origin}/v1"
env_key = "MILLRACE_API_KEY"
wire_api = "responses"
`,
  }),
  env: ({ key }) => ({ ...NO_WAY_OUT, MILLRACE_API_KEY: key }),
  args: ({ model }, prompt) => [
    'exec',
    '--json',
    '--skip-git-repo-check',
    '--dangerously-bypass-approvals-and-sandbox',
    '-m',
    model,
    prompt,
  ],
}

const claudeCode: Agent = {
  name: 'claude-code',
  spec: `npm:@anthropic-ai/claude-code-${PLATFORM}@2.1.322`,
  program: 'agent/claude',
  call: command => ({ name: 'Bash', arguments: { command, description: 'Writes a file' } }),
  env: ({ origin, key, model }) => ({
    ...NO_WAY_OUT,
    ANTHROPIC_BASE_URL: origin,
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_MODEL: model,
    ANTHROPIC_SMALL_FAST_MODEL: model,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '2',
  }),
  args: (_access, prompt) => ['-p', prompt, '--allowedTools', 'Bash', '--output-format', 'stream-json', '--verbose'],
}

const qwenCode: Agent = {
  name: 'qwen-code',
  spec: 'npm:@qwen-code/qwen-code@0.24.4',
  program: 'agent/cli-entry.js',
  isScript: true,
  call: command => ({ name: 'run_shell_command', arguments: { command, is_background: false } }),
  files: () => ({
    '.qwen/settings.json': JSON.stringify({
      privacy: { usageStatisticsEnabled: false },
      memory: { enableManagedAutoMemory: false },
      general: { disableAutoUpdate: true },
    }),
  }),
  env: ({ origin, key, model }) => ({
    ...NO_WAY_OUT,
    OPENAI_BASE_URL: `${origin}/v1`,
    OPENAI_API_KEY: key,
    OPENAI_MODEL: model,
  }),
  args: (_access, prompt) => ['--auth-type', 'openai', '-y', '-o', 'stream-json', '-p', prompt],
}

const opencode: Agent = {
  name: 'opencode',
  spec: `npm:opencode-${PLATFORM}@1.18.33`,
  program: 'agent/bin/opencode',
  call: command => ({ name: 'bash', arguments: { command, description: 'Writes a file' } }),
  env: ({ origin, key, model }) => ({
    ...NO_WAY_OUT,
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      permission: 'allow',
      provider: {
        millrace: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Millrace',
          options: { baseURL: `${origin}/v1`, apiKey: key },
          models: { [model]: { name: model } },
        },
      },
    }),
  }),
  args: ({ model }) => ['run', '--format', 'json', '--title', 'A task', '-m', `millrace/${model}`],
  readsPrompt: true,
}

const cline: Agent = {
  name: 'cline',
  spec: `npm:@cline/cli-${PLATFORM}@3.0.65`,
  program: 'agent/bin/cline',
  call: command => ({ name: 'run_commands', arguments: { commands: [command] } }),
  files: () => ({ 'global-settings.json': JSON.stringify({ telemetryOptOut: true }) }),
  env: (_access, home) => ({
    ...NO_WAY_OUT,
    CLINE_GLOBAL_SETTINGS_PATH: `${home}/global-settings.json`,
    CLINE_SESSION_BACKEND_MODE: 'local',
  }),
  before: ({ origin, key, model }) => [
    ['auth', '-p', 'openai-compatible', '-k', key, '-m', model, '-b', `${origin}/v1`],
  ],
  args: ({ key, model }, prompt) => ['--json', '-P', 'openai-compatible', '-k', key, '-m', model, prompt],
}

export const AGENTS: readonly Agent[] = [codex, claudeCode, qwenCode, opencode, cline]
