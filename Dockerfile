# syntax=docker/dockerfile:1
# The gateway from its sources: Node runs the TypeScript as it is, so nothing is built, only installed.

FROM node:26-slim AS install
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps ./apps
COPY packages ./packages
COPY config ./config
RUN npx --yes "pnpm@$(node -p 'require("./package.json").config.pnpm')" install --frozen-lockfile --prod --ignore-scripts --filter-prod "@millrace/gateway..."

FROM node:26-slim
LABEL org.opencontainers.image.title="millrace" \
      org.opencontainers.image.description="A self-hosted LLM gateway: many model streams in, one strict OpenAI-compatible stream out."
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    MILLRACE_STATE_DIR=/var/lib/millrace
WORKDIR /app
COPY --from=install --chown=root:root /app /app
RUN mkdir --mode=0700 /var/lib/millrace && chown node:node /var/lib/millrace
VOLUME /var/lib/millrace
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/apps/gateway/src/main.ts"]
CMD ["serve"]
