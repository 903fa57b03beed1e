import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'apps/*/e2e/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        // `npm run test:clients`: coding agents, hundreds of megabytes each, that are installed when they are first run.
        test: { name: 'clients', include: ['apps/*/e2e/**/*.agents.ts'], testTimeout: 600_000, fileParallelism: false },
      },
    ],
  },
})
