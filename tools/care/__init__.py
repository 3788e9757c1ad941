"""`pingan care`: what each wearer's wearable and gateway are to do, from profiles, sealed and given to the desk."""
