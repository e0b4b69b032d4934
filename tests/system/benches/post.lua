-- Every request is a hook's POST; at the end one line says what came of them.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"type":"presenter_started","name":"Maria","session_pin":"7W2-97-8570"}'

function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("came %d %d %d\n", summary.requests, errors.status, lost))
end
