/** A WebSocket to a relay, told what it is told: Node 20 has no client of its own, undici has. */

import { WebSocket } from 'undici';

export interface RelaySocket {
  /** Bytes that are not on their way yet. */
  waiting(): number;
  send(text: string): void;
  close(): void;
}

/** `onClose` is called once, whether it was ever open or not. */
export function openRelaySocket(url: string, onOpen: () => void, onClose: () => void): RelaySocket {
  const socket = new WebSocket(url);
  let closed = false;
  const end = () => {
    if (closed) return;
    closed = true;
    onClose();
  };
  socket.addEventListener('open', onOpen);
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  return {
    waiting: () => socket.bufferedAmount,
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}
