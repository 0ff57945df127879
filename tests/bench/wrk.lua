-- Sends what the arguments say, `wrk -s wrk.lua URL -- PAUSE [BODY]`, and reports in one line of JSON.

function init(args)
   local pause = tonumber(args[1])
   if pause > 0 then
      function delay() return pause end
   end
   if args[2] then
      wrk.method = "POST"
      wrk.body = args[2]
      wrk.headers["Content-Type"] = "application/json"
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "failed": %d, "p99": %d}\n',
      summary.requests,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(99)
   ))
end
