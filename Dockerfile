# catchupd in a container: built with everything, run with what it needs.
FROM node:20-slim AS build
WORKDIR /opt/catchupd
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /opt/catchupd
COPY --from=build /opt/catchupd/package.json /opt/catchupd/CHANGELOG.md /opt/catchupd/LICENSE ./
COPY --from=build /opt/catchupd/node_modules ./node_modules
COPY --from=build /opt/catchupd/dist ./dist
COPY --from=build /opt/catchupd/src/demo/clips ./src/demo/clips
RUN ln -s /opt/catchupd/dist/src/cli/main.js /usr/local/bin/catchupd \
  && chmod 0755 /opt/catchupd/dist/src/cli/main.js \
  && mkdir -p /srv/catchup && chown node:node /srv/catchup
USER node
VOLUME /srv/catchup
ENV CATCHUPD_OUT_DIR=/srv/catchup/recording
EXPOSE 8998
# Looks at the daemon's heartbeat beside its state: no port, no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["catchupd", "health"]
ENTRYPOINT ["catchupd"]
CMD ["run"]
