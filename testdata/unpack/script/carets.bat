s^e^t a=in^v^o^ice
