# The server alone: Node.js, the production dependencies, the sources, which Node runs as they are. docs/deployment.md has the commands.

# The Node.js that package.json brings for everything else.
ARG NODE_VERSION=26.10.0

FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
# Before the sources, so that a change of those does not install anything anew.
COPY package.json package-lock.json .npmrc ./
COPY packages/tidegate/package.json packages/tidegate/
# `npm install` rather than `npm ci`: the lock file also names workspaces that are not part of the image.
RUN npm install --omit=dev --workspace=tidegate --no-save

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY packages/tidegate/package.json packages/tidegate/
COPY packages/tidegate/bin packages/tidegate/bin
COPY packages/tidegate/src packages/tidegate/src
# So that `docker exec CONTAINER tidegate key create ...` works.
RUN ln -s /app/packages/tidegate/bin/tidegate.cjs /usr/local/bin/tidegate \
  && install -d -o node -g node -m 0700 /var/lib/tidegate

USER node
VOLUME /var/lib/tidegate
EXPOSE 8080
# The admin port stays on the container's loopback, where this command is run too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8081/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without a shell in between, so that SIGTERM reaches the server, which drains.
ENTRYPOINT ["node", "/app/packages/tidegate/bin/tidegate.cjs"]
# Without keys and issuers in the config file the server refuses to listen on this address, and says so.
CMD ["start", "--config", "/etc/tidegate/tidegate.yaml", "--host", "0.0.0.0", "--data", "/var/lib/tidegate"]
