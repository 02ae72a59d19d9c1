"""What watches see, over MQTT, so that Home Assistant and others have it as sensors."""
