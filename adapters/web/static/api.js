// Talking to the server. What goes wrong comes back as an ApiError with a sentence fit for people.

export const me = document.body.dataset.person;

export class ApiError extends Error {
  constructor(status, sentence, errors = {}) {
    super(sentence);
    this.status = status;
    this.errors = errors;
  }
}

/** The key of one act. Sent again with the same key, the act still happens once. */
export const newKey = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, {
      ...options,
      headers: { "Content-Type": "application/json", "X-Weaver-Person": me },
      credentials: "same-origin",
    });
  } catch {
    throw new ApiError(0, "The server cannot be reached. Nothing you typed is lost; try again in a moment.");
  }
  const data = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new ApiError(response.status, data.error ?? "That did not work. Please try again.", data.errors);
  }
  return data;
}

export const get = (path) => request(path, {});
export const post = (path, data = {}) => request(path, { method: "POST", body: JSON.stringify(data) });

const at = encodeURIComponent;
export const channelPath = (channel, rest = "") => `/api/channels/${at(channel)}${rest}`;
export const messagePath = (message, rest) => `/api/messages/${at(message)}/${rest}`;
export const pagePath = (channel, message = "") => `/c/${at(channel)}${message ? `/${at(message)}` : ""}`;
