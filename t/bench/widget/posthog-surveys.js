// PostHog's smallest build that shows surveys, and everything else off.

import posthog from 'posthog-js/dist/module.slim';
import { SurveysExtensions } from 'posthog-js/dist/extension-bundles';

posthog.init('bench', {
  __extensionClasses: SurveysExtensions,
  api_host: '/api',
  opt_out_useragent_filter: true,     // headless Chromium is not a robot here
  autocapture: false,
  capture_pageview: false,
  capture_pageleave: false,
  capture_performance: false,
  capture_exceptions: false,
  capture_heatmaps: false,
  capture_dead_clicks: false,
  disable_session_recording: true
});
