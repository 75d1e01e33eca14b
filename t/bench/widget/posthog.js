// PostHog as its manual says, with its newest defaults.

import posthog from 'posthog-js';

posthog.init('bench', {
  api_host: '/api',
  defaults: 'latest',
  opt_out_useragent_filter: true      // headless Chromium is not a robot here
});
