"""The statements of this wing: events, webhooks, and deliveries of the ones to the others."""
